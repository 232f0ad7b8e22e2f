"""lstm: the recurrent layer with long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.activations.sigmoid import Sigmoid
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.recurrence import Unrolled
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.gates import Gates
from core.layers.shared.recurrence import Recurrent
from core.layers.shared.time_steps import (
    apart,
    begin,
    gather_gradients,
    project_inputs,
    receive_state_gradients,
    result_of,
    return_to_start,
    states,
)
from core.spec import constraints

GATES = Gates("lstm", "ifgo", {"c": "g"}, 'torch and Keras: "ifgo"; ONNX: "iofc".')


@dataclass(frozen=True, slots=True, kw_only=True)
class Lstm(Recurrent):
    """Long short-term memory (LSTM): gates decide what a cell c forgets, stores and exposes as the state h.

    For t = 1 … T, with the initial state h_0 and cell c_0 (0 unless read), n examples, i features and u units:

        Forward    [a_i a_f a_g a_o] = x_t W + h_{t−1} U + 1 bᵀ     W (i, 4u), U (u, 4u), b (4u)
                   i, f, o = σ(a_i), σ(a_f), σ(a_o)                 (n, u): input, forget and output gate
                   g       = tanh(a_g)                              (n, u): candidate cell
                   c_t     = f ∘ c_{t−1} + i ∘ g
                   h_t     = o ∘ tanh(c_t)
        Backward   dh_t = (∂L/∂h_t from the result) + da_{t+1} Uᵀ
                   dc_t = dh_t ∘ o ∘ (1 − tanh²(c_t)) + dc_{t+1} ∘ f_{t+1}
                   da_i = dc_t ∘ g ∘ i ∘ (1 − i),         da_f = dc_t ∘ c_{t−1} ∘ f ∘ (1 − f)
                   da_g = dc_t ∘ i ∘ (1 − g ∘ g),         da_o = dh_t ∘ tanh(c_t) ∘ o ∘ (1 − o)
                   dW = Σ_t x_tᵀ da_t,   dU = Σ_t h_{t−1}ᵀ da_t,   db = Σ_t da_tᵀ 1,   dx_t = da_t Wᵀ
                   dh_0 = da_1 Uᵀ,   dc_0 = dc_1 ∘ f_1

    The result is h_T, or every h_t with `return_sequences`. W is `weight`, U is `recurrent_weight`; their columns (rows,
    under `column` and `torch`) and b hold the blocks i, f, g, o in the order of `gate_order`. `inputs` names the sequence
    and, optionally, h_0 (n, u) and c_0 (n, u).

    With `bidirectional`, the same equations run a second time, over x_T … x_1, with parameters whose names end in `_reverse`:
    the result is [h→_t h←_t] at every time step t, or [h→_T h←_1], the last state of each direction, and dx_t is the sum of
    both. The initial states are [h→_0 h←_0] and [c→_0 c←_0], n x 2u.

    In torch.nn.LSTM, W is weight_ih_l0 and U is weight_hh_l0 (transposed in the row convention), b is bias_ih_l0 +
    bias_hh_l0; the gradient of each of these two is that of b. The second direction has the same names with _reverse.

    Source: Hochreiter & Schmidhuber, Long Short-Term Memory (1997); Gers et al., Learning to Forget (2000), for the
    forget gate f.
    """

    kind: Literal["lstm"] = "lstm"

    gate_order: str | list[str] = field(default="ifgo", metadata=constraints(strict=False, examples=["ifgo", "iofg"]))
    """Order of the gates' blocks in `weight`, `recurrent_weight` and `bias`: the letters i, f, g (or c) and o, as a string
    or a list. torch and Keras have "ifgo", ONNX has "iofc"."""

    reads: ClassVar[tuple[int, int]] = (1, 3)
    equations: ClassVar[dict[str, str]] = {
        "row": "[i f g o] = x_t W + h_(t-1) U + b', W is features x 4 units, U is units x 4 units",
        "column": "[i; f; g; o] = W x_t + U h_(t-1) + b, W is 4 units x features, U is 4 units x units",
        "torch": "[i f g o] = x_t W' + h_(t-1) U' + b', W is 4 units x features, U is 4 units x units",
    }

    def equation(self, convention: str) -> str | None:
        return GATES.rewrite(Recurrent.equation(self, convention), self.gate_order)

    def gates(self) -> tuple[str, ...]:
        return GATES.order(self.gate_order)

    def derivation_through_time(self, layout: Layout) -> Derivation:
        over = Unrolled(layout, self.units, "<bias>" if self.bias else None)
        steps = range(1, over.time + 1)
        blocks, names = self.blocks("weight"), {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
        forward, backward = [over.initial("h", 2), over.initial("c", 3)], []

        def back(t: int) -> list[tuple[str, str]]:
            return [(rf"<da{t + 1}> U^\top", f"<da{t + 1}> @ ({over.U}).T")] if t < over.time else []

        for t in steps:
            forward.append(Equation(f"a{t}", *over.contributed(t, f"<h{t - 1}>"), "All four gates at once.", f"a_{t}"))
            for letter, name in names.items():
                part = f"<a{t}>[:, {blocks[letter].start}:{blocks[letter].stop}]"
                numpy = f"np.tanh({part})" if letter == "g" else f"1 / (1 + np.exp(-{part}))"
                latex = rf"{chr(92)}tanh(a_{letter})" if letter == "g" else rf"{chr(92)}sigma(a_{letter})"
                forward.append(Equation(f"{letter}{t}", latex, numpy, f"The {name} gate.", f"{letter}_{t}"))
            forward += [
                Equation(
                    f"c{t}",
                    rf"<f{t}> \circ <c{t - 1}> + <i{t}> \circ <g{t}>",
                    f"<f{t}> * <c{t - 1}> + <i{t}> * <g{t}>",
                    "The cell keeps the share f of its previous value and adds the share i of the candidate g.",
                    f"c_{t}",
                ),
                Equation(
                    f"h{t}",
                    rf"<o{t}> \circ \tanh(<c{t}>)",
                    f"<o{t}> * np.tanh(<c{t}>)",
                    "The state is the share o of tanh of the cell.",
                    f"h_{t}",
                ),
            ]
        for t in reversed(steps):
            last = t == over.time
            backward.append(over.d_state(t, back(t)))
            cell = rf"<dh{t}> \circ <o{t}> \circ (1 - \tanh^2 <c{t}>)"
            numpy = f"<dh{t}> * <o{t}> * (1 - np.tanh(<c{t}>)**2)"
            if not last:
                cell, numpy = cell + rf" + <dc{t + 1}> \circ <f{t + 1}>", numpy + f" + <dc{t + 1}> * <f{t + 1}>"
            gates = {
                "i": f"<dc{t}> * <g{t}> * <i{t}> * (1 - <i{t}>)",
                "f": f"<dc{t}> * <c{t - 1}> * <f{t}> * (1 - <f{t}>)",
                "g": f"<dc{t}> * <i{t}> * (1 - <g{t}>**2)",
                "o": f"<dh{t}> * np.tanh(<c{t}>) * <o{t}> * (1 - <o{t}>)",
            }
            backward += [
                Equation(
                    f"dc{t}",
                    cell,
                    numpy,
                    "$h_t$ and the next cell both read the cell: their gradients add up.",
                    rf"\partial c_{t}",
                ),
                Equation(
                    f"da{t}",
                    "[" + r"\; ".join(rf"\partial a_{letter}" for letter in blocks) + "]",
                    f"np.concatenate([{', '.join(gates[letter] for letter in blocks)}], axis=1)",
                    r"Through every gate: $\sigma' = \sigma (1 - \sigma)$ and $\tanh' = 1 - \tanh^2$.",
                    rf"\partial a_{t}",
                ),
            ]
        gathered = over.gathered("da", "da", {"bias": "da"} if self.bias else {})
        initial = [*over.d_initial(2, back(0)), *over.d_initial(3, [(r"<dc1> \circ <f1>", "<dc1> * <f1>")])]
        return Derivation([*forward, over.result()], [*backward, *gathered, *initial])

    def forward_through_time(self, context: LayerContext) -> Ops:
        U = context.parameters["recurrent_weight"]
        P, ops = project_inputs(context, context.parameters.get("bias"))
        H, gates = states(context, self.units), np.empty_like(P)
        cells, shown = np.zeros_like(H), np.empty_like(H[1:])
        context.saved.update(gates=gates, cells=cells, shown=shown)
        a, opened = np.empty_like(P[0]), np.empty_like(P[0])
        open_gates = Sigmoid().forward(a, opened)
        blocks = self.blocks("weight")
        i, f, g, o = apart(opened, blocks, "ifgo")
        a_g = a[..., blocks["g"]]

        def advance() -> None:
            for t in range(len(P)):
                np.matmul(H[t], U, out=a)
                np.add(P[t], a, a)
                open_gates()
                np.tanh(a_g, g)
                np.copyto(gates[t], opened)
                np.multiply(f, cells[t], cells[t + 1])
                cells[t + 1] += i * g
                np.tanh(cells[t + 1], shown[t])
                np.multiply(o, shown[t], H[t + 1])

        return [*ops, *begin(context, H[0], cells[0]), advance, result_of(context)]

    def backward_through_time(self, context: LayerContext) -> Ops:
        U, H = context.parameters["recurrent_weight"], context.saved["H"]
        gates, cells, shown = (context.saved[name] for name in ("gates", "cells", "shown"))
        dH, arrive = receive_state_gradients(context)
        dA, by_next, dc = np.empty_like(gates), np.empty_like(H[0]), np.empty_like(H[0])
        blocks = self.blocks("weight")

        def retreat() -> None:
            by_next.fill(0)
            dc.fill(0)
            for t in reversed(range(len(gates))):
                i, f, g, o = apart(gates[t], blocks, "ifgo")
                da_i, da_f, da_g, da_o = apart(dA[t], blocks, "ifgo")
                dh = np.add(dH[t], by_next, dH[t])
                np.add(dc, dh * o * (1 - shown[t] * shown[t]), dc)
                np.multiply(dc * g, i * (1 - i), da_i)
                np.multiply(dc * cells[t], f * (1 - f), da_f)
                np.multiply(dc * i, 1 - g * g, da_g)
                np.multiply(dh * shown[t], o * (1 - o), da_o)
                np.multiply(dc, f, dc)
                np.matmul(dA[t], U.T, out=by_next)

        return [arrive, retreat, *return_to_start(context, by_next, dc), *gather_gradients(context, dA, dA)]
