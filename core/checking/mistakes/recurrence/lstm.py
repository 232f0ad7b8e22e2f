"""The mistakes inside lstm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import Deltas, ThroughTime, Unrolled
from core.checking.mistakes.recurrence.gates import slopes_of

GATES = {"i": "input gate", "f": "forget gate", "g": "cell candidate", "o": "output gate"}


class LstmStep(NamedTuple):
    """The numbers of one time step, n x u each."""

    i: Array
    f: Array
    g: Array
    o: Array
    before: Array
    """c_{t−1}."""
    cell: Array
    """c_t."""
    shown: Array
    """tanh(c_t)."""


class LstmBackward(ThroughTime):
    """The right backward pass.

    dh_t = ∂L/∂h_t + da_{t+1} Uᵀ
    dc_t = dh_t ∘ o ∘ (1 − tanh²(c_t)) + dc_{t+1} ∘ f_{t+1}
    da_i = dc_t ∘ g ∘ i (1 − i),         da_f = dc_t ∘ c_{t−1} ∘ f (1 − f)
    da_g = dc_t ∘ i ∘ (1 − g²),          da_o = dh_t ∘ tanh(c_t) ∘ o (1 − o)
    """

    kinds: ClassVar[tuple[str, ...]] = ("lstm",)

    def deltas(self, run: Unrolled) -> Deltas:
        gates, cells, shown = (run.saved[name] for name in ("gates", "cells", "shown"))
        I, F, G, O = run.apart(gates, "ifgo")  # noqa: E741
        before, dA = self.cells_before(cells), np.empty_like(gates)
        arriving, by_state, by_cell = (
            self.from_result(run.D, run.layer),
            np.zeros_like(run.H[0]),
            np.zeros_like(run.H[0]),
        )
        for t in reversed(run.steps):
            step = LstmStep(I[t], F[t], G[t], O[t], before[t], cells[t + 1], shown[t])
            last = t == run.steps[-1]
            dh = self.state_gradient(arriving[t], by_state, is_last=last)
            dc = self.cell_gradient(self.state_to_cell(dh, step), by_cell, is_last=last)
            dA[t] = run.together(self.through_gate_functions(self.gate_gradients(dh, dc, step), step))
            by_cell = self.to_earlier_cell(dc, F, t)
            by_state = self.to_earlier_state(run, dA[t])
        return Deltas(dA, dA, [self.from_later_state(by_state), self.from_later_cell(by_cell)])

    def from_later_state(self, later: Array) -> Array:
        """Return da_{t+1} Uᵀ, as it is used."""
        return self.from_later(later)

    def from_later_cell(self, later: Array) -> Array:
        """Return dc_{t+1} ∘ f_{t+1}, as it is used."""
        return self.from_later(later)

    def state_gradient(self, arriving: Array, later: Array, *, is_last: bool) -> Array:
        return super().state_gradient(arriving, self.from_later_state(later), is_last=is_last)

    def cells_before(self, cells: Array) -> Array:
        """Return c_0 … c_{T−1}, which the forget gate multiplies."""
        return cells[:-1]

    def state_to_cell(self, dh: Array, step: LstmStep) -> Array:
        """dh_t ∘ o ∘ (1 − tanh²(c_t)), from h_t = o ∘ tanh(c_t)."""
        return np.asarray(dh * self.output_gate_of(step) * self.cell_slope(step))

    def output_gate_of(self, step: LstmStep) -> Array | float:
        """Return o, by which the state's gradient is multiplied on its way to the cell."""
        return step.o

    def cell_slope(self, step: LstmStep) -> Array | float:
        """1 − tanh²(c_t)."""
        return np.asarray(1 - step.shown * step.shown)

    def cell_gradient(self, by_state: Array, later: Array, *, is_last: bool) -> Array:
        """dc_t, the sum of what the state and the next cell pass to the cell."""
        return by_state + self.from_later_cell(later)

    def gate_gradients(self, dh: Array, dc: Array, step: LstmStep) -> dict[str, Array]:
        """Return the gradients of i, f, g and o."""
        return {letter: (dh if letter == "o" else dc) * self.beside(letter, step) for letter in GATES}

    def beside(self, letter: str, step: LstmStep) -> Array:
        """Return what a gate multiplies in the forward pass."""
        return {"i": step.g, "f": step.before, "g": step.i, "o": step.shown}[letter]

    def through_gate_functions(self, gradients: Mapping[str, Array], step: LstmStep) -> dict[str, Array]:
        """da for each gate: its gradient times σ' or tanh'."""
        return {letter: gradients[letter] * self.slope(letter, getattr(step, letter)) for letter in GATES}

    def to_earlier_cell(self, dc: Array, F: Array, t: int) -> Array:
        """dc_t ∘ f_t, which c_{t−1} receives."""
        return np.asarray(dc * F[t])

    def to_earlier_state(self, run: Unrolled, da: Array) -> Array:
        """da_t Uᵀ, which h_{t−1} receives."""
        return self.through_gates(run, da)


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


class _Beside(LstmBackward):
    """A gate's gradient multiplied by the wrong number."""

    least_steps = 1
    unseen = "both formulas give the same numbers here"
    letter: ClassVar[str]
    read: ClassVar[str]

    def beside(self, letter: str, step: LstmStep) -> Array:
        found: Array = getattr(step, self.read) if letter == self.letter else super().beside(letter, step)
        return found


def _beside(letter: str, right: str, read: str, shown: str) -> type[_Beside]:
    gate = GATES[letter]
    return type(
        f"{gate.title().replace(' ', '')}Reads{read.title()}",
        (_Beside,),
        {
            "letter": letter,
            "read": read,
            "slug": f"{gate.replace(' ', '-')}-multiplied-by-{shown.replace(' ', '-')}",
            "block": gate,
            "said": f"multiplies by {_SIGN[read]} instead of {right} in the {gate}",
            "wrong": rf"da_{letter} = d{'h' if letter == 'o' else 'c'} \circ {_LATEX[read]} \circ \ldots",
            "why": f"The {gate} {letter} multiplies {right} in the forward pass, so its gradient contains {right}.",
        },
    )


_SIGN = {"cell": "c_t", "before": "c_(t−1)", "shown": "tanh(c_t)", "i": "i", "g": "g", "f": "f", "o": "o"}
_LATEX = {"cell": "c_t", "before": "c_{t-1}", "shown": r"\tanh(c_t)", "i": "i", "g": "g", "f": "f", "o": "o"}

BESIDE = (
    _beside("f", "c_(t−1)", "cell", "current cell"),
    _beside("f", "c_(t−1)", "shown", "tanh of current cell"),
    _beside("i", "g", "i", "itself"),
    _beside("i", "g", "before", "previous cell"),
    _beside("g", "i", "g", "itself"),
    _beside("g", "i", "f", "forget gate"),
    _beside("o", "tanh(c_t)", "cell", "cell"),
    _beside("o", "tanh(c_t)", "before", "previous cell"),
)
"""A gate's gradient with another number than the one that the gate multiplies."""


class _Copied(LstmBackward):
    """da of one gate equal to that of another."""

    least_steps = 1
    alone = True
    unseen = "both blocks are equal here"
    letter: ClassVar[str]
    other: ClassVar[str]

    def through_gate_functions(self, gradients: Mapping[str, Array], step: LstmStep) -> dict[str, Array]:
        found = super().through_gate_functions(gradients, step)
        return {**found, self.letter: found[self.other]}


def _copied(letter: str, other: str) -> type[_Copied]:
    gate, source = GATES[letter], GATES[other]
    return type(
        f"{gate.title().replace(' ', '')}CopiedFrom{source.title().replace(' ', '')}",
        (_Copied,),
        {
            "letter": letter,
            "other": other,
            "slug": f"{gate.replace(' ', '-')}-copied-from-{source.replace(' ', '-')}",
            "block": gate,
            "said": f"has the delta of the {source} in the block of the {gate}",
            "wrong": f"da_{letter} = da_{other}",
            "why": f"Each gate has a delta of its own: the {gate} {letter} and the {source} {other} multiply different "
            "numbers in the forward pass.",
        },
    )


COPIED = tuple(_copied(letter, other) for letter in GATES for other in GATES if letter != other)
"""The block of one gate equal to that of another."""


class _PathMissing(LstmBackward):
    """dh without what comes back through one gate."""

    letter: ClassVar[str]

    def through_recurrent_weight(self, letter: str, dq: Array, U: Array) -> Array:
        found = super().through_recurrent_weight(letter, dq, U)
        return np.zeros_like(found) if letter == self.letter else found


def _path_missing(letter: str) -> type[_PathMissing]:
    gate = GATES[letter]
    return type(
        f"{gate.title().replace(' ', '')}PathMissing",
        (_PathMissing,),
        {
            "letter": letter,
            "slug": f"{gate.replace(' ', '-')}-not-carried-through",
            "block": gate,
            "said": f"lacks what comes back to h from the {gate} of the next time step",
            "wrong": rf"dh_t = \frac{{\partial L}}{{\partial h_t}} + \sum_{{k \ne {letter}}} \back{{da_{{k,t+1}}}}{{U_k}}",
            "why": "h_t is read by all four gates of the next time step, so what they send back adds up.",
        },
    )


PATHS = tuple(_path_missing(letter) for letter in GATES)
"""The carried gradient without the part through one gate."""


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


LSTM: tuple[type[ThroughTime], ...] = (
    *slopes_of(LstmBackward, GATES),
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
    *BESIDE,
    *PATHS,
    *COPIED,
)
"""The mistakes that only lstm has."""
