"""gru: the gated recurrent unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.activations.sigmoid import Sigmoid
from core.arrays import Array, Op
from core.equations.equation import Derivation
from core.equations.gru import gru_derivation
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
    rows,
    states,
)
from core.spec import constraints

GATES = Gates("gru", "rzn", {"h": "n"}, 'torch: "rzn"; Keras and ONNX: "zrh".')


EQUATIONS_RESET_BEFORE = {
    "row": "[r z n] from x_t W + b' and h_(t-1) U + c', where n reads r * h_(t-1) for h_(t-1), W is features x 3 units, "
    "U is units x 3 units",
    "column": "[r; z; n] from W x_t + b and U h_(t-1) + c, where n reads r * h_(t-1) for h_(t-1), W is 3 units x "
    "features, U is 3 units x units",
    "torch": "[r z n] from x_t W' + b' and h_(t-1) U' + c', where n reads r * h_(t-1) for h_(t-1), W is 3 units x "
    "features, U is 3 units x units",
}
"""The forward equation for each convention where r multiplies the state before the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gru(Recurrent):
    """Gated recurrent unit (GRU): a gate interpolates between the previous state and a candidate state.

    For t = 1 … T, with the initial state h_0 (0 unless the layer reads one), n examples, i features and u units:

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
                   dh_0 = dq_1 Uᵀ + dh_1 ∘ z_1

    With `reset_after: false`, r multiplies the state before the product. U_r, U_z and U_n are the blocks of U, and dp = dq:

        Forward    [q_r q_z] = h_{t−1} [U_r U_z] + 1 [c_r c_z]ᵀ
                   s    = r ∘ h_{t−1}
                   m    = tanh(p_n + q_n),  q_n = s U_n + 1 c_nᵀ
        Backward   ds   = dp_n U_nᵀ                      dp_n and dp_z as above
                   dp_r = ds ∘ h_{t−1} ∘ r ∘ (1 − r)
                   dh_t = (∂L/∂h_t from the result) + dp_r U_rᵀ + dp_z U_zᵀ + ds ∘ r + dh_{t+1} ∘ z, all of t + 1
                   dU_r = Σ_t h_{t−1}ᵀ dp_r,   dU_z = Σ_t h_{t−1}ᵀ dp_z,   dU_n = Σ_t s_tᵀ dp_n,   dc = db

    The result is h_T, or every h_t with `return_sequences`. W is `weight`, U is `recurrent_weight`, b is `bias` and c is
    `recurrent_bias`. There are two biases because r multiplies only the second; `bias: false` omits both. With
    `reset_after: false` r multiplies neither, so only their sum matters: a program with one bias sends it as b, and zeros
    as c. The columns of the weights (rows, under `column` and `torch`) and the biases hold the blocks r, z, n in the order
    of `gate_order`. `inputs` names the sequence and, optionally, h_0 (n, u).

    With `bidirectional`, the same equations run a second time, over x_T … x_1, with parameters whose names end in `_reverse`:
    the result is [h→_t h←_t] at every time step t, or [h→_T h←_1], the last state of each direction, and dx_t is the sum of
    both. The initial states are [h→_0 h←_0], n x 2u.

    In torch.nn.GRU, W is weight_ih_l0 and U is weight_hh_l0 (transposed in the row convention), b is bias_ih_l0 and c is
    bias_hh_l0; the second direction has the same names with _reverse. Keras has both forms of r under the same name,
    reset_after, with the order "zrh".

    Source: Cho et al., Learning Phrase Representations (2014), §2.3, which has r before the product with U;
    torch.nn.GRU for r after it.
    """

    kind: Literal["gru"] = "gru"

    gate_order: str | list[str] = field(default="rzn", metadata=constraints(strict=False, examples=["rzn", "zrn"]))
    """Order of the gates' blocks in `weight`, `recurrent_weight` and the biases: the letters r, z and n (or h), as a string
    or a list. torch has "rzn", Keras and ONNX have "zrh"."""

    reset_after: bool = field(default=True, metadata=constraints())
    """Whether the reset gate r multiplies after the product with the recurrent weight, as in torch, or, if false, the
    previous state before it."""

    biases: ClassVar[tuple[str, ...]] = ("bias", "recurrent_bias")
    equations: ClassVar[dict[str, str]] = {
        "row": "[r z n] from x_t W + b' and h_(t-1) U + c', W is features x 3 units, U is units x 3 units",
        "column": "[r; z; n] from W x_t + b and U h_(t-1) + c, W is 3 units x features, U is 3 units x units",
        "torch": "[r z n] from x_t W' + b' and h_(t-1) U' + c', W is 3 units x features, U is 3 units x units",
    }

    def equation(self, convention: str) -> str | None:
        own = Recurrent.equation(self, convention)
        if not self.reset_after and own:
            own = own.replace(self.equations[convention], EQUATIONS_RESET_BEFORE[convention])
        return GATES.rewrite(own, self.gate_order)

    def gates(self) -> tuple[str, ...]:
        return GATES.order(self.gate_order)

    def derivation_through_time(self, layout: Layout) -> Derivation:
        over = Unrolled(layout, self.units, None)
        return gru_derivation(over, self.blocks("weight"), bias=self.bias, reset_after=self.reset_after)

    def forward_through_time(self, context: LayerContext) -> Ops:
        U, c = context.parameters["recurrent_weight"], context.parameters.get("recurrent_bias")
        P, ops = project_inputs(context, context.parameters.get("bias"))
        u, H, blocks = self.units, states(context, self.units), self.blocks("weight")
        Q, gates, new = np.empty_like(P), np.empty_like(P[..., : 2 * u]), np.empty_like(H[1:])
        reset = np.empty_like(new if not self.reset_after else new[:0])
        context.saved.update(Q=Q, gates=gates, new=new, reset=reset)
        sums, opened = np.empty_like(gates[0]), np.empty_like(gates[0])
        open_gates = Sigmoid().forward(sums, opened)
        r, z = np.split(opened, 2, axis=-1)
        U_n = U[:, blocks["n"]]

        def advance() -> None:
            for t in range(len(P)):
                (p_r, p_z, p_n), (q_r, q_z, q_n) = (apart(array[t], blocks, "rzn") for array in (P, Q))
                np.matmul(H[t], U, out=Q[t])
                if c is not None:
                    np.add(Q[t], c, Q[t])
                np.add(p_r, q_r, sums[:, :u])
                np.add(p_z, q_z, sums[:, u:])
                open_gates()
                np.copyto(gates[t], opened)
                if self.reset_after:
                    np.tanh(p_n + r * q_n, new[t])
                else:
                    np.matmul(np.multiply(r, H[t], reset[t]), U_n, out=q_n)
                    if c is not None:
                        np.add(q_n, c[blocks["n"]], q_n)
                    np.tanh(p_n + q_n, new[t])
                np.subtract(H[t], new[t], H[t + 1])
                np.multiply(H[t + 1], z, H[t + 1])
                np.add(H[t + 1], new[t], H[t + 1])

        return [*ops, *begin(context, H[0]), advance, result_of(context)]

    def backward_through_time(self, context: LayerContext) -> Ops:
        U, H = context.parameters["recurrent_weight"], context.saved["H"]
        Q, gates, new = (context.saved[name] for name in ("Q", "gates", "new"))
        dH, arrive = receive_state_gradients(context)
        dP, by_next, blocks = np.empty_like(Q), np.empty_like(H[0]), self.blocks("weight")
        dQ = np.empty_like(Q) if self.reset_after else dP
        U_r, U_z, U_n = apart(U, blocks, "rzn")

        def retreat() -> None:
            by_next.fill(0)
            for t in reversed(range(len(Q))):
                r, z = np.split(gates[t], 2, axis=-1)
                dp_r, dp_z, dp_n = apart(dP[t], blocks, "rzn")
                dh = np.add(dH[t], by_next, dH[t])
                np.multiply(dh * (1 - z), 1 - new[t] * new[t], dp_n)
                np.multiply(dh * (H[t] - new[t]), z * (1 - z), dp_z)
                if self.reset_after:
                    np.multiply(dp_n * Q[t][:, blocks["n"]], r * (1 - r), dp_r)
                    np.copyto(dQ[t], dP[t])
                    np.multiply(dp_n, r, dQ[t][:, blocks["n"]])
                    np.matmul(dQ[t], U.T, out=by_next)
                else:
                    ds = dp_n @ U_n.T
                    np.multiply(ds * H[t], r * (1 - r), dp_r)
                    np.add(dp_r @ U_r.T + dp_z @ U_z.T, ds * r, by_next)
                np.add(by_next, dh * z, by_next)

        ops: list[Op] = [arrive, retreat, *return_to_start(context, by_next), *gather_gradients(context, dP, dQ)]
        if "recurrent_bias" in context.gradients:
            ops.append(partial(np.sum, rows(dQ), axis=0, out=context.gradients["recurrent_bias"]))
        if not self.reset_after:
            dU_n = context.gradients["recurrent_weight"][:, blocks["n"]]
            S, dp_n = rows(context.saved["reset"]), rows(dP)[:, blocks["n"]]
            ops.append(partial(np.matmul, S.T, dp_n, out=dU_n))
        return ops

    def example_gradients_through_time(self, context: LayerContext) -> dict[str, Array]:
        found = Recurrent.example_gradients_through_time(self, context)
        if not self.reset_after:
            n = self.blocks("recurrent_weight")["n"]
            S, dP = (context.saved[name].swapaxes(0, 1) for name in ("reset", "dP"))
            found["recurrent_weight"][..., n] = S.swapaxes(1, 2) @ dP[..., n]
        return found
