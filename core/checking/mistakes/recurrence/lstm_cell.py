"""The mistakes of lstm in what is carried through time: the state and the cell."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.lstm_backward import LstmBackward, LstmStep


class StateNotCarried(LstmBackward):
    """dh_t without da_{t+1} Uᵀ."""

    slug = "state-not-carried"
    block = "state h"
    said = "lacks what comes back through the state h: dh of the next time step was not carried to this one"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t}"
    why = "h_t is read by all gates of the next time step, so its gradient includes da_(t+1) times U transposed."

    def from_later_state(self, later: Array) -> Array:
        return np.zeros_like(later)


class CellNotCarried(LstmBackward):
    """dc_t without dc_{t+1} ∘ f_{t+1}."""

    slug = "cell-not-carried"
    block = "cell c"
    said = "lacks what comes back through the cell c: dc of the next time step was not carried to this one"
    wrong = r"dc_t = dh_t \circ o_t \circ (1 - \tanh^2 c_t)"
    why = "c_t is read by the next cell, so its gradient includes dc_(t+1) ∘ f_(t+1): use dc +=, not dc =."

    def from_later_cell(self, later: Array) -> Array:
        return np.zeros_like(later)


class CellGradientOverwritten(LstmBackward):
    """dc_t is only what the next cell sends back, except at the last time step."""

    slug = "cell-gradient-overwritten"
    block = "cell c"
    said = "takes only what the next cell sends back for dc, without what comes through h of the same time step"
    wrong = r"dc_t = dc_{t+1} \circ f_{t+1}"
    why = "c_t is read by h_t and by the next cell; both gradients add up."

    def cell_gradient(self, by_state: Array, later: Array, *, is_last: bool) -> Array:
        return by_state if is_last else self.from_later_cell(later)


class CellDerivativeMissing(LstmBackward):
    """dh ∘ o without 1 − tanh²(c)."""

    slug = "cell-derivative-missing"
    block = "cell c"
    least_steps = 1
    said = "lacks the derivative of tanh(c) on the way from h to the cell c"
    wrong = r"dc_t = dh_t \circ o_t + dc_{t+1} \circ f_{t+1}"
    why = "h = o ∘ tanh(c), so the gradient is multiplied by 1 − tanh²(c)."
    unseen = "every cell is 0"

    def cell_slope(self, step: LstmStep) -> Array | float:
        return 1.0


class CellDerivativeOfCell(LstmBackward):
    """1 − c² instead of 1 − tanh²(c)."""

    slug = "cell-derivative-of-cell"
    block = "cell c"
    least_steps = 1
    said = "multiplies by 1 − c² instead of 1 − tanh²(c) on the way from h to the cell c"
    wrong = r"dc_t = dh_t \circ o_t \circ (1 - c_t^2)"
    why = "The formula 1 − a² for the derivative of tanh is in terms of its result a = tanh(c), not of c."
    unseen = "every cell is 0"

    def cell_slope(self, step: LstmStep) -> Array | float:
        return np.asarray(1 - step.cell * step.cell)


class CellDerivativeAtTanh(LstmBackward):
    """1 − tanh²(tanh(c)) instead of 1 − tanh²(c)."""

    slug = "cell-derivative-at-tanh"
    block = "cell c"
    least_steps = 1
    said = "applies tanh twice: it multiplies by 1 − tanh²(tanh(c)) on the way from h to the cell c"
    wrong = r"dc_t = dh_t \circ o_t \circ (1 - \tanh^2(\tanh c_t))"
    why = "The derivative of tanh at c is 1 − tanh²(c)."
    unseen = "every cell is 0"

    def cell_slope(self, step: LstmStep) -> Array | float:
        return np.asarray(1 - np.tanh(step.shown) ** 2)


class OutputGateLeftOut(LstmBackward):
    """dc without o."""

    slug = "output-gate-left-out"
    block = "output gate"
    least_steps = 1
    said = "goes from h to the cell c without the output gate o"
    wrong = r"dc_t = dh_t \circ (1 - \tanh^2 c_t) + dc_{t+1} \circ f_{t+1}"
    why = "h = o ∘ tanh(c), so the gradient of the cell is multiplied by o."
    unseen = "the output gate is open everywhere"

    def output_gate_of(self, step: LstmStep) -> Array | float:
        return 1.0


class ForgetGateLeftOut(LstmBackward):
    """dc_{t+1} instead of dc_{t+1} ∘ f_{t+1}."""

    slug = "forget-gate-left-out"
    block = "forget gate"
    said = "carries dc to the cell before without the forget gate f"
    wrong = r"dc_t = dh_t \circ o_t \circ (1 - \tanh^2 c_t) + dc_{t+1}"
    why = "c_(t+1) = f_(t+1) ∘ c_t + …, so what the next cell sends back is multiplied by f_(t+1)."

    def to_earlier_cell(self, dc: Array, F: Array, t: int) -> Array:
        return dc


class ForgetGateOfWrongStep(LstmBackward):
    """dc_{t+1} ∘ f_t instead of dc_{t+1} ∘ f_{t+1}."""

    slug = "forget-gate-of-wrong-step"
    block = "forget gate"
    said = "carries dc to the cell before with the forget gate of that earlier time step"
    wrong = r"dc_t = dh_t \circ o_t \circ (1 - \tanh^2 c_t) + dc_{t+1} \circ f_t"
    why = "c_(t+1) = f_(t+1) ∘ c_t + …: the forget gate that scales c_t is that of the time step after it."

    def to_earlier_cell(self, dc: Array, F: Array, t: int) -> Array:
        return np.asarray(dc * F[max(t - 1, 0)])


class CellWrapsAround(LstmBackward):
    """c_T instead of c_0 at the first time step."""

    slug = "cell-wraps-around"
    block = "forget gate"
    said = "takes the last cell for the cell before the first time step in the forget gate"
    wrong = r"da_{f,1} = dc_1 \circ c_T \circ f (1 - f)"
    why = "In Python c[t - 1] at t = 0 is c[-1], the last cell. The cell before the first time step is the initial one, 0."

    def cells_before(self, cells: Array) -> Array:
        return np.concatenate([cells[-1:], cells[1:-1]])


class StateAndCellWrapAround(CellWrapsAround):
    """h_T and c_T instead of h_0 and c_0 at the first time step."""

    slug = "state-and-cell-wrap-around"
    block = ""
    said = "takes the last state and the last cell for those before the first time step"
    wrong = r"h_0 = h_T, \quad c_0 = c_T"
    why = (
        "In Python h[t - 1] and c[t - 1] at t = 0 are h[-1] and c[-1], the last ones. Before the first time step "
        "are the initial state and cell, 0."
    )

    def states_before(self, H: Array) -> Array:
        return np.concatenate([H[-1:], H[1:-1]])


CELL: tuple[type[ThroughTime], ...] = (
    StateNotCarried,
    CellNotCarried,
    CellGradientOverwritten,
    CellDerivativeMissing,
    CellDerivativeOfCell,
    CellDerivativeAtTanh,
    OutputGateLeftOut,
    ForgetGateLeftOut,
    ForgetGateOfWrongStep,
    CellWrapsAround,
    StateAndCellWrapAround,
)
"""Mistakes in the state and the cell."""
