"""gru: the gated recurrent unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.activations.sigmoid import Sigmoid
from core.arrays import Op
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.recurrence import Unrolled
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.gates import read_gate_order
from core.layers.shared.recurrence import (
    Recurrent,
    gather_gradients,
    project_inputs,
    receive_state_gradients,
    result_of,
    rows,
    states,
)
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Gru(Recurrent):
    """Gated recurrent unit (GRU): a gate interpolates between the previous state and a candidate state.

    For t = 1 … T, with h_0 = 0, n examples, i features and u units:

        Forward    [p_r p_z p_n] = x_t W + 1 bᵀ          W (i, 3u), b (3u)
                   [q_r q_z q_n] = h_{t−1} U + 1 cᵀ      U (u, 3u), c (3u)
                   r, z = σ(p_r + q_r), σ(p_z + q_z)     (n, u): reset and update gate
                   m    = tanh(p_n + r ∘ q_n)            (n, u): candidate state
                   h_t  = (1 − z) ∘ m + z ∘ h_{t−1}
        Backward   dh_t = (∂L/∂h_t from the result) + dq_{t+1} Uᵀ + dh_{t+1} ∘ z_{t+1}
                   dp_n = dh_t ∘ (1 − z) ∘ (1 − m ∘ m),                 dq_n = dp_n ∘ r
                   dp_z = dq_z = dh_t ∘ (h_{t−1} − m) ∘ z ∘ (1 − z)
                   dp_r = dq_r = dp_n ∘ q_n ∘ r ∘ (1 − r)
                   dW = Σ_t x_tᵀ dp_t,   db = Σ_t dp_tᵀ 1,   dU = Σ_t h_{t−1}ᵀ dq_t,   dc = Σ_t dq_tᵀ 1,   dx_t = dp_t Wᵀ

    The result is h_T, or every h_t with `return_sequences`. W is `weight`, U is `recurrent_weight`, b is `bias` and c is
    `recurrent_bias`. There are two biases because r multiplies only the second; `bias: false` omits both. The columns of
    the weights (rows, under `column` and `torch`) hold the blocks r, z, n in this order.

    In torch.nn.GRU, W is weight_ih_l0 and U is weight_hh_l0 (transposed in the row convention), b is bias_ih_l0 and c is
    bias_hh_l0. In Keras, this form is the one with reset_after=True.

    Source: Cho et al., Learning Phrase Representations (2014), §2.3; torch.nn.GRU for r after the product with U.
    """

    kind: Literal["gru"] = "gru"

    gate_order: str | list[str] = field(default="rzn", metadata=constraints(examples=["rzn", "zrn"]))
    """Order of the gates' blocks in `weight`, `recurrent_weight` and the biases: the letters r, z and n (or h), as a string
    or a list. torch has "rzn", Keras and ONNX have "zrh"."""

    reset_after: bool = field(default=True, metadata=constraints())
    """Whether the reset gate r multiplies after the product with the recurrent weight, as in torch, or, if false, the
    previous state before it."""

    equations: ClassVar[dict[str, str]] = {
        "row": "[r z n] from x_t W + b' and h_(t-1) U + c', W is features x 3 units, U is units x 3 units",
        "column": "[r; z; n] from W x_t + b and U h_(t-1) + c, W is 3 units x features, U is 3 units x units",
        "torch": "[r z n] from x_t W' + b' and h_(t-1) U' + c', W is 3 units x features, U is 3 units x units",
    }

    def gates(self) -> tuple[str, ...]:
        return read_gate_order("gru", self.gate_order, "rzn", {"h": "n"}, 'torch: "rzn"; Keras and ONNX: "zrh".')

    def bias_names(self) -> tuple[str, ...]:
        names = ("bias", "recurrent_bias") if self.reset_after else ("bias",)
        return names if self.bias else ()

    def derivation(self, layout: Layout) -> Derivation:
        over, u = Unrolled(layout, self.units, None), self.units
        steps = range(1, over.time + 1)
        b, c = (" + <bias>", " + <recurrent_bias>") if self.bias else ("", "")
        forward, backward = [over.zero("h0", "h_0")], []
        for t in steps:
            r, z, new = (f"[:, {k * u}:{(k + 1) * u}]" for k in range(3))
            forward += [
                Equation(
                    f"p{t}",
                    rf"x_{{{t}}} {over.latex_W}{b}",
                    f"<X>[:, {t - 1}] @ {over.W}{b}",
                    "The contribution of the input to the gates and the candidate.",
                    f"p_{t}",
                ),
                Equation(
                    f"q{t}",
                    rf"<h{t - 1}> {over.latex_U}{c}",
                    f"<h{t - 1}> @ {over.U}{c}",
                    "The contribution of the previous state to the gates and the candidate.",
                    f"q_{t}",
                ),
                *(
                    Equation(
                        f"{letter}{t}",
                        rf"\sigma(p_{letter} + q_{letter})",
                        f"1 / (1 + np.exp(-(<p{t}>{part} + <q{t}>{part})))",
                        f"The {name} gate.",
                        f"{letter}_{t}",
                    )
                    for letter, part, name in (("r", r, "reset"), ("z", z, "update"))
                ),
                Equation(
                    f"m{t}",
                    rf"\tanh(p_n + <r{t}> \circ q_n)",
                    f"np.tanh(<p{t}>{new} + <r{t}> * <q{t}>{new})",
                    "The candidate for the new state; r scales the contribution of the previous state.",
                    f"n_{t}",
                ),
                Equation(
                    f"h{t}",
                    rf"(1 - <z{t}>) \circ <m{t}> + <z{t}> \circ <h{t - 1}>",
                    f"(1 - <z{t}>) * <m{t}> + <z{t}> * <h{t - 1}>",
                    "z is the share of the previous state that is kept.",
                    f"h_{t}",
                ),
            ]
        for t in reversed(steps):
            later = [
                (rf"<dq{t + 1}> U^\top", f"<dq{t + 1}> @ ({over.U}).T"),
                (rf"<dh{t + 1}> \circ <z{t + 1}>", f"<dh{t + 1}> * <z{t + 1}>"),
            ]
            backward.append(over.d_state(t, later if t < over.time else []))
            parts = [
                f"<dn{t}> * <q{t}>[:, {2 * u}:] * <r{t}> * (1 - <r{t}>)",
                f"<dh{t}> * (<h{t - 1}> - <m{t}>) * <z{t}> * (1 - <z{t}>)",
            ]
            backward += [
                Equation(
                    f"dn{t}",
                    rf"<dh{t}> \circ (1 - <z{t}>) \circ (1 - <m{t}>^2)",
                    f"<dh{t}> * (1 - <z{t}>) * (1 - <m{t}>**2)",
                    r"Through the candidate: $\tanh' = 1 - \tanh^2$.",
                    rf"\partial a_{{n,{t}}}",
                ),
                Equation(
                    f"dp{t}",
                    r"[\partial a_r\; \partial a_z\; \partial a_n]",
                    f"np.concatenate([{', '.join(parts)}, <dn{t}>], axis=1)",
                    r"Through the sigmoid of both gates: $\sigma' = \sigma (1 - \sigma)$.",
                    rf"\partial p_{t}",
                ),
                Equation(
                    f"dq{t}",
                    r"[\partial a_r\; \partial a_z\; r \circ \partial a_n]",
                    f"np.concatenate([{', '.join(parts)}, <dn{t}> * <r{t}>], axis=1)",
                    "r scales $q_n$, the previous state's contribution to the candidate.",
                    rf"\partial q_{t}",
                ),
            ]
        biases = {"bias": "dp", "recurrent_bias": "dq"} if self.bias else {}
        return Derivation([*forward, over.result()], [*backward, *over.gathered("dp", "dq", biases)])

    def forward(self, context: LayerContext) -> Ops:
        U, c = context.parameters["recurrent_weight"], context.parameters.get("recurrent_bias")
        P, ops = project_inputs(context, context.parameters.get("bias"))
        u, H = self.units, states(context, self.units)
        Q, gates, new = np.empty_like(P), np.empty_like(P[..., : 2 * u]), np.empty_like(H[1:])
        context.saved.update(Q=Q, gates=gates, new=new)
        sums, opened = np.empty_like(gates[0]), np.empty_like(gates[0])
        open_gates = Sigmoid().forward(sums, opened)
        r, z = np.split(opened, 2, axis=-1)

        def advance() -> None:
            for t in range(len(P)):
                np.matmul(H[t], U, out=Q[t])
                if c is not None:
                    np.add(Q[t], c, Q[t])
                np.add(P[t, :, : 2 * u], Q[t, :, : 2 * u], sums)
                open_gates()
                np.copyto(gates[t], opened)
                np.tanh(P[t, :, 2 * u :] + r * Q[t, :, 2 * u :], new[t])
                np.subtract(H[t], new[t], H[t + 1])
                np.multiply(H[t + 1], z, H[t + 1])
                np.add(H[t + 1], new[t], H[t + 1])

        return [*ops, advance, result_of(context)]

    def backward(self, context: LayerContext) -> Ops:
        U, H = context.parameters["recurrent_weight"], context.saved["H"]
        Q, gates, new = (context.saved[name] for name in ("Q", "gates", "new"))
        dH, arrive = receive_state_gradients(context)
        dP, dQ, by_next = np.empty_like(Q), np.empty_like(Q), np.empty_like(H[0])

        def retreat() -> None:
            by_next.fill(0)
            for t in reversed(range(len(Q))):
                r, z = np.split(gates[t], 2, axis=-1)
                dp_r, dp_z, dp_n = np.split(dP[t], 3, axis=-1)
                q_n = np.split(Q[t], 3, axis=-1)[2]
                dh = np.add(dH[t], by_next, dH[t])
                np.multiply(dh * (1 - z), 1 - new[t] * new[t], dp_n)
                np.multiply(dh * (H[t] - new[t]), z * (1 - z), dp_z)
                np.multiply(dp_n * q_n, r * (1 - r), dp_r)
                np.copyto(dQ[t], dP[t])
                np.multiply(dp_n, r, np.split(dQ[t], 3, axis=-1)[2])
                np.matmul(dQ[t], U.T, out=by_next)
                np.add(by_next, dh * z, by_next)

        ops: list[Op] = [arrive, retreat, *gather_gradients(context, dP, dQ)]
        if self.bias:
            ops.append(partial(np.sum, rows(dQ), axis=0, out=context.gradients["recurrent_bias"]))
        return ops
