"""The backward pass of gru, a method for each term, which a mistake overrides."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import Deltas, ThroughTime
from core.checking.mistakes.recurrence.unrolled import Unrolled

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
