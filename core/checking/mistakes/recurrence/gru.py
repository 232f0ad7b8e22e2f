"""The mistakes inside gru."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import Deltas, ThroughTime, Unrolled
from core.checking.mistakes.recurrence.gates import slopes_of

GATES = {"r": "reset gate", "z": "update gate", "n": "candidate state"}


class GruStep(NamedTuple):
    """The numbers of one time step, n x u each."""

    r: Array
    z: Array
    n: Array
    """The candidate m."""
    q_n: Array
    """h_{t−1} U_n + c_n, which r scales where it stands after the product."""
    before: Array
    """h_{t−1}."""


class GruBackward(ThroughTime):
    """The right backward pass.

    dh_t = ∂L/∂h_t + dq_{t+1} Uᵀ + dh_{t+1} ∘ z_{t+1}
    dp_n = dh_t ∘ (1 − z) ∘ (1 − m²),              dq_n = dp_n ∘ r
    dp_z = dq_z = dh_t ∘ (h_{t−1} − m) ∘ z (1 − z)
    dp_r = dq_r = dp_n ∘ q_n ∘ r (1 − r)

    With r before the product: ds = dp_n U_nᵀ, dp_r = ds ∘ h_{t−1} ∘ r (1 − r), and ds ∘ r is carried instead of dq_n U_nᵀ.
    """

    kinds: ClassVar[tuple[str, ...]] = ("gru",)

    def deltas(self, run: Unrolled) -> Deltas:
        Q, new, H = run.saved["Q"], run.saved["new"], run.H
        R, Z = np.split(run.saved["gates"], 2, axis=-1)
        (Q_n,), (U_n,) = run.apart(Q, "n"), run.apart(run.parameters["recurrent_weight"], "n")
        before = self.gates_states_before(H)
        dP, dQ = np.empty_like(Q), np.empty_like(Q)
        arriving, later = self.from_result(run.D, run.layer), np.zeros_like(H[0])
        for t in reversed(run.steps):
            step = GruStep(R[t], Z[t], new[t], Q_n[t], before[t])
            dh = self.state_gradient(arriving[t], later, is_last=t == run.steps[-1])
            dp_n = dh * self.candidate_share(step) * self.slope("n", step.n)
            dp_z = dh * self.beside_update(step) * self.slope("z", step.z)
            if run.layer.reset_after:
                dp_r = self.reset_path(dp_n, step.q_n, step) * self.slope("r", step.r)
                dq = {"r": dp_r, "z": dp_z, "n": self.candidate_by_state(dp_n, step)}
                carried = self.through_gates(run, run.together(dq))
            else:
                ds = self.through_recurrent_weight("n", dp_n, U_n)
                dp_r = self.reset_path(ds, step.before, step) * self.slope("r", step.r)
                dq = {"r": dp_r, "z": dp_z, "n": np.zeros_like(dp_n)}
                carried = self.through_gates(run, run.together(dq)) + self.candidate_by_state(ds, step)
                dq["n"] = dp_n
            dP[t], dQ[t] = run.together({"r": dp_r, "z": dp_z, "n": dp_n}), run.together(dq)
            later = self.carried_by_gates(carried) + self.direct(dh, step)
        return Deltas(dP, dQ, [self.from_later(later)])

    def gates_states_before(self, H: Array) -> Array:
        """Return h_0 … h_{T−1}, as the gradients of the gates read them."""
        return H[:-1]

    def candidate_share(self, step: GruStep) -> Array | float:
        """1 − z, by which the candidate is multiplied."""
        return 1 - step.z

    def beside_update(self, step: GruStep) -> Array:
        """h_{t−1} − m, by which z is multiplied."""
        return step.before - step.n

    def reset_path(self, gradient: Array, beside: Array, step: GruStep) -> Array:
        """Return the gradient of r, which multiplies q_n or, before the product, h_{t−1}."""
        return gradient * beside

    def candidate_by_state(self, gradient: Array, step: GruStep) -> Array:
        """dp_n ∘ r or ds ∘ r, which goes back to h_{t−1} through the candidate."""
        return gradient * step.r

    def carried_by_gates(self, carried: Array) -> Array:
        """Return what h_{t−1} receives through the gates and the candidate."""
        return carried

    def direct(self, dh: Array, step: GruStep) -> Array:
        """dh_t ∘ z, which h_{t−1} receives directly."""
        return dh * step.z

    def recurrent_gradient(self, run: Unrolled, dP: Array, dQ: Array) -> Array:
        found = super().recurrent_gradient(run, dP, dQ)
        if not getattr(run.layer, "reset_after", True):
            n = run.blocks["n"]
            S = self.scaled_states(np.split(run.saved["gates"], 2, axis=-1)[0], self.states_before(run.H))
            found[:, n] = self.sum_over_time(
                "recurrent_weight", [s.T @ dp for s, dp in zip(S, dP[..., n], strict=True)]
            )
        return found

    def scaled_states(self, R: Array, before: Array) -> Array:
        """r ∘ h_{t−1}, which U_n multiplies where r stands before the product."""
        return R * before


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


class GateStateWrapsAround(GruBackward):
    """h_T instead of h_0 at the first time step, in the gates and in dU."""

    slug = "gate-state-wraps-around"
    said = "takes the last state for the state before the first time step"
    wrong = r"h_0 = h_T"
    why = (
        "In Python h[t - 1] at t = 0 is h[-1], the last state. The state before the first time step is the initial one."
    )

    def gates_states_before(self, H: Array) -> Array:
        return np.concatenate([H[-1:], H[1:-1]])

    def states_before(self, H: Array) -> Array:
        return np.concatenate([H[-1:], H[1:-1]])


class UpdateOfCurrentState(GruBackward):
    """h_t − m instead of h_{t−1} − m."""

    slug = "update-gate-of-current-state"
    block = "update gate"
    least_steps = 1
    said = "uses the state after the time step instead of the state before it in the gates"
    wrong = r"dp_z = dh_t \circ (h_t - m) \circ z (1 - z)"
    why = "z multiplies the previous state h_(t−1)."

    def gates_states_before(self, H: Array) -> Array:
        return H[1:]


GRU: tuple[type[ThroughTime], ...] = (
    *slopes_of(GruBackward, GATES),
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
    GateStateWrapsAround,
    UpdateOfCurrentState,
)
"""The mistakes that only gru has."""
