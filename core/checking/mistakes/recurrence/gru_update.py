"""The mistakes of gru in the update gate and in what it lets pass."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.gru_backward import GruBackward, GruStep


class DirectPathMissing(GruBackward):
    """dh_t without dh_{t+1} ∘ z_{t+1}."""

    slug = "direct-path-missing"
    block = "update gate"
    said = "lacks the direct path z ∘ h_(t−1) from one state to the next"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t} + \back{dq_{t+1}}{U}"
    why = "h_(t+1) = … + z ∘ h_t, so h_t also receives dh_(t+1) ∘ z."

    def direct(self, dh: Array, step: GruStep) -> Array:
        return np.zeros_like(dh)


class GatesPathMissing(GruBackward):
    """dh_t without dq_{t+1} Uᵀ."""

    slug = "path-through-gates-missing"
    said = "lacks what comes back through the gates and the candidate: only z ∘ dh is carried to the state before"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t} + dh_{t+1} \circ z_{t+1}"
    why = "h_t is also read by both gates and the candidate of the next time step, through the recurrent weights."

    def carried_by_gates(self, carried: Array) -> Array:
        return np.zeros_like(carried)


class DirectPathSwapped(GruBackward):
    """dh ∘ (1 − z) instead of dh ∘ z on the direct path."""

    slug = "direct-path-with-one-minus-z"
    block = "update gate"
    said = "multiplies by 1 − z instead of z on the direct path from one state to the next"
    wrong = r"dh_t = \ldots + dh_{t+1} \circ (1 - z_{t+1})"
    why = "h_t = (1 − z) ∘ m + z ∘ h_(t−1): the share of the previous state is z."

    def direct(self, dh: Array, step: GruStep) -> Array:
        return np.asarray(dh * (1 - step.z))


class DirectPathWithoutGate(GruBackward):
    """dh instead of dh ∘ z on the direct path."""

    slug = "direct-path-without-z"
    block = "update gate"
    said = "carries dh directly to the state before without z"
    wrong = r"dh_t = \ldots + dh_{t+1}"
    why = "h_(t+1) = (1 − z) ∘ m + z ∘ h_t, so what goes directly back is dh ∘ z."

    def direct(self, dh: Array, step: GruStep) -> Array:
        return dh


class CandidateShareSwapped(GruBackward):
    """dh ∘ z instead of dh ∘ (1 − z) for the candidate."""

    slug = "candidate-with-z"
    block = "candidate state"
    least_steps = 1
    said = "multiplies by z instead of 1 − z in the candidate state"
    wrong = r"dp_n = dh_t \circ z \circ (1 - m^2)"
    why = "h_t = (1 − z) ∘ m + z ∘ h_(t−1): the share of the candidate is 1 − z."
    unseen = "z is one half everywhere"

    def candidate_share(self, step: GruStep) -> Array | float:
        return step.z


class CandidateShareLeftOut(GruBackward):
    """dh instead of dh ∘ (1 − z) for the candidate."""

    slug = "candidate-without-one-minus-z"
    block = "candidate state"
    least_steps = 1
    said = "lacks the factor 1 − z in the candidate state"
    wrong = r"dp_n = dh_t \circ (1 - m^2)"
    why = "h_t = (1 − z) ∘ m + z ∘ h_(t−1), so the gradient of the candidate m is dh ∘ (1 − z)."
    unseen = "z is 0 everywhere"

    def candidate_share(self, step: GruStep) -> Array | float:
        return 1.0


class UpdateSwapped(GruBackward):
    """z and 1 − z swapped in every derivative."""

    slug = "update-gate-swapped"
    block = "update gate"
    least_steps = 1
    said = "has z and 1 − z swapped, as if h = z ∘ m + (1 − z) ∘ h_(t−1)"
    wrong = r"dp_n = dh_t \circ z \circ (1 - m^2), \quad dp_z = dh_t \circ (m - h_{t-1}) \circ z (1 - z)"
    why = "Both definitions are in use; this layer's forward pass is h_t = (1 − z) ∘ m + z ∘ h_(t−1)."
    unseen = "z is one half everywhere"

    def candidate_share(self, step: GruStep) -> Array | float:
        return step.z

    def beside_update(self, step: GruStep) -> Array:
        return step.n - step.before

    def direct(self, dh: Array, step: GruStep) -> Array:
        return np.asarray(dh * (1 - step.z))


class UpdateSharesSwapped(UpdateSwapped):
    """z and 1 − z swapped where they multiply dh, but h_{t−1} − m right."""

    slug = "update-gate-shares-swapped"
    said = "has z and 1 − z swapped where they multiply the gradient of the state"
    wrong = r"dp_n = dh_t \circ z \circ (1 - m^2), \quad dh_{t-1} = \ldots + dh_t \circ (1 - z)"

    def beside_update(self, step: GruStep) -> Array:
        return step.before - step.n


class _Update(GruBackward):
    """h_{t−1} − m wrong."""

    block = "update gate"
    least_steps = 1
    unseen = "both formulas give the same numbers here"


class UpdateSignLost(_Update):
    """m − h_{t−1} instead of h_{t−1} − m."""

    slug = "update-gate-sign-flipped"
    said = "multiplies by m − h_(t−1) instead of h_(t−1) − m in the update gate"
    wrong = r"dp_z = dh_t \circ (m - h_{t-1}) \circ z (1 - z)"
    why = "h_t = (1 − z) ∘ m + z ∘ h_(t−1), whose derivative by z is h_(t−1) − m."

    def beside_update(self, step: GruStep) -> Array:
        return step.n - step.before


class UpdateWithoutCandidate(_Update):
    """h_{t−1} instead of h_{t−1} − m."""

    slug = "update-gate-without-candidate"
    said = "lacks the term − m in the update gate"
    wrong = r"dp_z = dh_t \circ h_{t-1} \circ z (1 - z)"
    why = "z occurs twice in h_t = (1 − z) ∘ m + z ∘ h_(t−1); the derivative by z is h_(t−1) − m."

    def beside_update(self, step: GruStep) -> Array:
        return step.before


class UpdateWithoutState(_Update):
    """−m instead of h_{t−1} − m."""

    slug = "update-gate-without-state"
    least_steps = 2
    said = "lacks the term h_(t−1) in the update gate"
    wrong = r"dp_z = dh_t \circ (-m) \circ z (1 - z)"
    why = "z occurs twice in h_t = (1 − z) ∘ m + z ∘ h_(t−1); the derivative by z is h_(t−1) − m."

    def beside_update(self, step: GruStep) -> Array:
        return -step.n


UPDATE: tuple[type[ThroughTime], ...] = (
    DirectPathMissing,
    GatesPathMissing,
    DirectPathSwapped,
    DirectPathWithoutGate,
    CandidateShareSwapped,
    CandidateShareLeftOut,
    UpdateSwapped,
    UpdateSharesSwapped,
    UpdateSignLost,
    UpdateWithoutCandidate,
    UpdateWithoutState,
)
"""Mistakes in the update gate and in what it lets pass."""
