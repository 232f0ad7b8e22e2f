"""The mistakes of gru in the reset gate and in what passes the recurrent weight."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.gru_backward import GruBackward, GruStep
from core.checking.mistakes.recurrence.unrolled import Unrolled


class ResetPathMissing(GruBackward):
    """dp_r = 0."""

    slug = "reset-path-missing"
    block = "reset gate"
    least_steps = 1
    said = "has no gradient for the reset gate: the path through r is missing"
    wrong = r"dp_r = 0"
    why = "The candidate depends on r, so the gradient of the candidate goes on to r."
    unseen = "the reset gate has no influence on this batch"

    def reset_path(self, gradient: Array, beside: Array, step: GruStep) -> Array:
        return np.zeros_like(gradient)


class ResetOfState(GruBackward):
    """dp_n ∘ h_{t−1} instead of dp_n ∘ q_n."""

    slug = "reset-gate-multiplied-by-state"
    block = "reset gate"
    said = "multiplies by h_(t−1) instead of h_(t−1) U_n + c_n in the reset gate"
    wrong = r"dp_r = dp_n \circ h_{t-1} \circ r (1 - r)"
    why = "In this layer r multiplies the product with the recurrent weight, not the state before it."

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.reset_after and super().is_possible(layer, steps)

    def reset_path(self, gradient: Array, beside: Array, step: GruStep) -> Array:
        return gradient * step.before


class ResetWithoutWeight(GruBackward):
    """dp_n ∘ h_{t−1} instead of dp_n U_nᵀ ∘ h_{t−1}."""

    slug = "reset-gate-without-weight"
    block = "reset gate"
    said = "goes back to the reset gate and the state without the recurrent weight of the candidate"
    wrong = r"ds = dp_n"
    why = "r ∘ h_(t−1) is multiplied by U_n, so its gradient is dp_n times U_n transposed."

    def is_possible(self, layer: Any, steps: int) -> bool:
        return not layer.reset_after and super().is_possible(layer, steps)

    def through_recurrent_weight(self, letter: str, dq: Array, U: Array) -> Array:
        return dq if letter == "n" else super().through_recurrent_weight(letter, dq, U)


class CandidatePathWithoutReset(GruBackward):
    """dq_n = dp_n instead of dp_n ∘ r, everywhere."""

    slug = "candidate-path-without-reset"
    block = "candidate state"
    said = "lacks r on the way from the candidate to the recurrent weights and the state before"
    wrong = r"dq_n = dp_n"
    why = "The candidate reads the previous state multiplied by r, so what goes back that way is multiplied by r."

    def candidate_by_state(self, gradient: Array, step: GruStep) -> Array:
        return gradient


class CandidateNotCarried(GruBackward):
    """dh without what comes back through the candidate."""

    slug = "candidate-state-not-carried-through"
    block = "candidate state"
    said = "lacks what comes back to h from the candidate state of the next time step"
    wrong = r"dh_t = \ldots + \back{dq_{r,t+1}}{U_r} + \back{dq_{z,t+1}}{U_z}"
    why = "h_t is read by the candidate of the next time step too."

    def through_gates(self, run: Unrolled, dq: Array) -> Array:
        block = run.blocks["n"]
        without = np.array(dq)
        without[..., block] = 0
        return super().through_gates(run, without)

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.reset_after and super().is_possible(layer, steps)


class CandidateNotCarriedBefore(GruBackward):
    """The same where r stands before the product."""

    slug = "candidate-state-not-carried-through"
    block = "candidate state"
    said = CandidateNotCarried.said
    wrong = r"dh_t = \ldots + \back{dp_{r,t+1}}{U_r} + \back{dp_{z,t+1}}{U_z}"
    why = CandidateNotCarried.why

    def candidate_by_state(self, gradient: Array, step: GruStep) -> Array:
        return np.zeros_like(gradient)

    def is_possible(self, layer: Any, steps: int) -> bool:
        return not layer.reset_after and super().is_possible(layer, steps)


class _GateNotCarried(GruBackward):
    """dh without what comes back through one gate."""

    letter: ClassVar[str]

    def through_recurrent_weight(self, letter: str, dq: Array, U: Array) -> Array:
        found = super().through_recurrent_weight(letter, dq, U)
        return np.zeros_like(found) if letter == self.letter else found


class ResetNotCarried(_GateNotCarried):
    """dh without dq_r U_rᵀ."""

    slug = "reset-gate-not-carried-through"
    block = "reset gate"
    letter = "r"
    said = "lacks what comes back to h from the reset gate of the next time step"
    wrong = r"dh_t = \ldots + \back{dq_{z,t+1}}{U_z} + \back{dq_{n,t+1}}{U_n}"
    why = "h_t is read by the reset gate of the next time step too."


class UpdateNotCarried(_GateNotCarried):
    """dh without dq_z U_zᵀ."""

    slug = "update-gate-not-carried-through"
    block = "update gate"
    letter = "z"
    said = "lacks what comes back to h from the update gate of the next time step"
    wrong = r"dh_t = \ldots + \back{dq_{r,t+1}}{U_r} + \back{dq_{n,t+1}}{U_n}"
    why = "h_t is read by the update gate of the next time step too."


class CandidateBiasWithoutReset(GruBackward):
    """dc_n = Σ dp_n instead of Σ dp_n ∘ r."""

    slug = "recurrent-bias-without-reset"
    block = "candidate state"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("recurrent_bias",)
    least_steps = 1
    said = "lacks r in the block of the candidate state: it equals the gradient of bias"
    wrong = r"\frac{\partial L}{\partial c_n} = \sum_t dp_n"
    why = "r multiplies h_(t−1) U_n + c_n, so the gradient of c_n is the sum of dp_n ∘ r."
    unseen = "the reset gate is open everywhere"

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.reset_after and layer.bias and super().is_possible(layer, steps)

    def recurrent_bias_gradient(self, dP: Array, dQ: Array) -> Array:
        return super().recurrent_bias_gradient(dP, dP)


class CandidateWeightWithoutReset(GruBackward):
    """dU_n = Σ h_{t−1}ᵀ dp_n, without r."""

    slug = "recurrent-gradient-without-reset"
    block = "candidate state"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("recurrent_weight",)
    said = "lacks r in the block of the candidate state"
    wrong = r"\frac{\partial L}{\partial U_n} = \sum_t \outer{h_{t-1}}{dp_n}"
    why = "The candidate reads h_(t−1) multiplied by r, before or after U_n, so the gradient of U_n contains r."

    def recurrent_gradient(self, run: Unrolled, dP: Array, dQ: Array) -> Array:
        n = run.blocks["n"]
        without = np.array(dQ)
        without[..., n] = dP[..., n]
        return super().recurrent_gradient(run, dP, without)

    def scaled_states(self, R: Array, before: Array) -> Array:
        return before


RESET: tuple[type[ThroughTime], ...] = (
    ResetPathMissing,
    ResetOfState,
    ResetWithoutWeight,
    CandidatePathWithoutReset,
    CandidateNotCarried,
    CandidateNotCarriedBefore,
    ResetNotCarried,
    UpdateNotCarried,
    CandidateBiasWithoutReset,
    CandidateWeightWithoutReset,
)
"""Mistakes in the reset gate and in what passes the recurrent weight."""
