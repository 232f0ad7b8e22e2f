"""The mistakes of gru in the states that its gates read."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.gru_backward import GruBackward


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


STATES: tuple[type[ThroughTime], ...] = (
    GateStateWrapsAround,
    UpdateOfCurrentState,
)
"""Mistakes in the states that the gates read."""
