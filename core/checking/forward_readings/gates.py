"""Recurrent layers whose gates compute something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.activations import FUNCTIONS
from core.arrays import Array, Op
from core.checking.layer_rules import activate, through
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.layers.shared.recurrence import (
    gather_gradients,
    project_inputs,
    receive_state_gradients,
    result_of,
    rows,
    states,
)


def letters(layer: Layer) -> str:
    """Return the letters of the gates of a recurrent layer, in the order of their blocks."""
    return {"lstm": "ifgo", "gru": "rzn"}.get(layer.kind, "a")


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

    def forward(self, context: LayerContext) -> Ops:
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

    def backward(self, context: LayerContext) -> Ops:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GruResetBefore(Gru):
    """A gru whose reset gate multiplies the previous state before the product with U.

        r, z = σ(x_t W_rz + h_{t−1} U_rz + b + c),     m = tanh(x_t W_n + (r ∘ h_{t−1}) U_n + b + c)
        h_t  = (1 − z) ∘ m + z ∘ h_{t−1}

    Both biases are added outside every product, so that their gradients are equal.

    Source: Cho et al., Learning Phrase Representations (2014), §2.3.
    """

    def forward(self, context: LayerContext) -> Ops:
        u, c = self.units, context.parameters.get("recurrent_bias")
        P, ops = project_inputs(context, context.parameters.get("bias"))
        U, H = context.parameters["recurrent_weight"], states(context, self.units)
        gates, new = np.empty_like(P[..., : 2 * u]), np.empty_like(H[1:])
        context.saved.update(P=P, gates=gates, new=new)

        def advance() -> None:
            if c is not None:
                np.add(P, c, P)
            for t in range(len(P)):
                np.copyto(gates[t], activate(FUNCTIONS["sigmoid"](), P[t, :, : 2 * u] + H[t] @ U[:, : 2 * u]))
                r, z = gates[t, :, :u], gates[t, :, u:]
                np.tanh(P[t, :, 2 * u :] + (r * H[t]) @ U[:, 2 * u :], new[t])
                np.copyto(H[t + 1], (1 - z) * new[t] + z * H[t])

        return [*ops, advance, result_of(context)]

    def backward(self, context: LayerContext) -> Ops:
        u, U, H, P = self.units, context.parameters["recurrent_weight"], context.saved["H"], context.saved["P"]
        gates, new, dU = context.saved["gates"], context.saved["new"], context.gradients["recurrent_weight"]
        dH, arrive = receive_state_gradients(context)
        dP = np.empty_like(P)

        def retreat() -> None:
            by_next = np.zeros_like(H[0])
            for t in reversed(range(len(P))):
                r, z = gates[t, :, :u], gates[t, :, u:]
                dh = dH[t] + by_next
                d_new = dh * (1 - z) * (1 - new[t] * new[t])
                d_kept = d_new @ U[:, 2 * u :].T
                dP[t, :, :u] = d_kept * H[t] * r * (1 - r)
                dP[t, :, u : 2 * u] = dh * (H[t] - new[t]) * z * (1 - z)
                dP[t, :, 2 * u :] = d_new
                by_next = dh * z + d_kept * r + dP[t, :, : 2 * u] @ U[:, : 2 * u].T

        def kept() -> None:
            """The candidate's block of dU multiplies r ∘ h_{t−1}, not h_{t−1}."""
            read = gates[..., :u] * H[:-1]
            np.matmul(rows(read).T, rows(dP[..., 2 * u :]), out=dU[:, 2 * u :])

        ops: list[Op] = [arrive, retreat, *gather_gradients(context, dP, dP), kept]
        if "recurrent_bias" in context.gradients:
            ops.append(lambda: np.sum(rows(dP), axis=0, out=context.gradients["recurrent_bias"]))
        return ops
