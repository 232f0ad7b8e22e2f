"""The backward pass of lstm, a method for each term, which a mistake overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import Deltas, ThroughTime
from core.checking.mistakes.recurrence.unrolled import Unrolled

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
