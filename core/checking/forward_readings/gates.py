"""Recurrent layers whose gates compute something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.activations import FUNCTIONS
from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.lstm import Lstm
from core.layers.shared.time_steps import gather_gradients, project_inputs, receive_state_gradients, result_of, states


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmOfFunctions(Lstm):
    """An lstm with other functions at its gates and at the cell's exit.

        i, f, g, o = φ_i(a_i), φ_f(a_f), φ_g(a_g), φ_o(a_o),     c_t = f ∘ c_{t−1} + i ∘ g,     h_t = o ∘ ψ(c_t)

    and in the backward pass φ' and ψ' take the places of σ (1 − σ) and 1 − tanh².
    """

    functions: tuple[str, str, str, str] = ("sigmoid", "sigmoid", "tanh", "sigmoid")
    """φ_i, φ_f, φ_g and φ_o."""

    shown: str = "tanh"
    """ψ."""

    def forward_through_time(self, context: LayerContext) -> Ops:
        U = context.parameters["recurrent_weight"]
        P, ops = project_inputs(context, context.parameters.get("bias"))
        H = states(context, self.units)
        sums, opened, cells, shown = np.empty_like(P), np.empty_like(P), np.zeros_like(H), np.empty_like(H[1:])
        context.saved.update(sums=sums, gates=opened, cells=cells, shown=shown)

        def advance() -> None:
            for t in range(len(P)):
                np.copyto(sums[t], P[t] + H[t] @ U)
                for name, a, gate in zip(self.functions, _four(sums[t]), _four(opened[t]), strict=True):
                    np.copyto(gate, activate(FUNCTIONS[name](), a))
                i, f, g, o = _four(opened[t])
                np.copyto(cells[t + 1], f * cells[t] + i * g)
                np.copyto(shown[t], activate(FUNCTIONS[self.shown](), cells[t + 1]))
                np.multiply(o, shown[t], H[t + 1])

        return [*ops, advance, result_of(context)]

    def backward_through_time(self, context: LayerContext) -> Ops:
        U, H = context.parameters["recurrent_weight"], context.saved["H"]
        sums, opened, cells, shown = (context.saved[name] for name in ("sums", "gates", "cells", "shown"))
        dH, arrive = receive_state_gradients(context)
        dA = np.empty_like(opened)

        def retreat() -> None:
            by_next, dc = np.zeros_like(H[0]), np.zeros_like(H[0])
            for t in reversed(range(len(opened))):
                i, f, g, o = _four(opened[t])
                dh = dH[t] + by_next
                dc = dc + through(FUNCTIONS[self.shown](), cells[t + 1], shown[t], dh * o)
                arriving = (dc * g, dc * cells[t], dc * i, dh * shown[t])
                blocks = zip(self.functions, _four(sums[t]), _four(opened[t]), arriving, _four(dA[t]), strict=True)
                for name, a, gate, d_gate, da in blocks:
                    np.copyto(da, through(FUNCTIONS[name](), a, gate, d_gate))
                dc = dc * f
                by_next = dA[t] @ U.T

        return [arrive, retreat, *gather_gradients(context, dA, dA)]


def _four(array: Array) -> list[Array]:
    return np.split(array, 4, axis=-1)
