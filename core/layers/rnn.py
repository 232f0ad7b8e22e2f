"""rnn: the simple recurrent layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.activations import FUNCTIONS, Activation
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.recurrence import Unrolled
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.recurrence import Recurrent
from core.layers.shared.time_steps import (
    begin,
    gather_gradients,
    project_inputs,
    receive_state_gradients,
    result_of,
    return_to_start,
    states,
)
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rnn(Recurrent):
    """Simple (Elman) recurrent layer.

    For t = 1 … T, with the initial state h_0 (0 unless the layer reads one), n examples, i features and u units:

        Forward    a_t = x_t W + h_{t−1} U + 1 bᵀ     x_t (n, i), W (i, u), U (u, u), b (u)
                   h_t = f(a_t)                       (n, u); f is tanh
        Backward   dh_t = (∂L/∂h_t from the result) + da_{t+1} Uᵀ
                   da_t = f'(a_t) ∘ dh_t
                   dW = Σ_t x_tᵀ da_t,   dU = Σ_t h_{t−1}ᵀ da_t,   db = Σ_t da_tᵀ 1,   dx_t = da_t Wᵀ
                   dh_0 = da_1 Uᵀ

    The result is h_T, or every h_t with `return_sequences`. `nonlinearity` is f, inside the recurrence; `activation` is
    applied to the result, outside the recurrence. W is `weight`, U is `recurrent_weight`, b is `bias`. `inputs` names the
    sequence and, optionally, h_0 (n, u).

    With `bidirectional`, the same equations run a second time, over x_T … x_1, with parameters whose names end in `_reverse`:
    the result is [h→_t h←_t] at every time step t, or [h→_T h←_1], the last state of each direction, and dx_t is the sum of
    both. The initial states are [h→_0 h←_0], n x 2u.

    In torch.nn.RNN, W is weight_ih_l0 and U is weight_hh_l0 (transposed in the row convention), b is bias_ih_l0 +
    bias_hh_l0; the gradient of each of these two is that of b. The second direction has the same names with _reverse.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), §10.2; Elman, Finding Structure in Time (1990).
    """

    kind: Literal["rnn"] = "rnn"

    nonlinearity: Literal["tanh", "relu", "sigmoid", "identity"] = field(
        default="tanh", metadata=constraints(strict=False)
    )
    """Function f inside the recurrence."""

    equations: ClassVar[dict[str, str]] = {
        "row": "h_t = tanh(x_t W + h_(t-1) U + b'), W is features x units, U is units x units",
        "column": "h_t = tanh(W x_t + U h_(t-1) + b), W is units x features, U is units x units",
        "torch": "h_t = tanh(x_t W' + h_(t-1) U' + b'), W is units x features, U is units x units",
    }

    def derivation_through_time(self, layout: Layout) -> Derivation:
        over, f = Unrolled(layout, self.units, "<bias>" if self.bias else None), FUNCTIONS[self.nonlinearity]()
        steps = range(1, over.time + 1)
        forward, backward = [over.initial("h", 2)], []

        def back(t: int) -> list[tuple[str, str]]:
            return [(rf"<da{t + 1}> U^\top", f"<da{t + 1}> @ ({over.U}).T")] if t < over.time else []

        for t in steps:
            latex, numpy = over.contributed(t, f"<h{t - 1}>")
            value = f.numpy().replace("<Z>", f"<a{t}>")
            forward.append(
                Equation(
                    f"a{t}",
                    latex,
                    numpy,
                    "A weighted sum of the input at this time step and the previous state.",
                    f"a_{t}",
                )
            )
            forward.append(Equation(f"h{t}", rf"{f.latex()}(<a{t}>)", value, f"$a = {f.formula}$.", f"h_{t}"))
        for t in reversed(steps):
            backward.append(over.d_state(t, back(t)))
            slope = f.numpy_derivative().replace("<Z>", f"<a{t}>").replace("<A>", f"<h{t}>")
            latex = rf"<dh{t}> \circ {f.latex()}'(<a{t}>)"
            backward.append(
                Equation(f"da{t}", latex, f"<dh{t}> * ({slope})", f"$f' = {f.derivative}$.", rf"\partial a_{t}")
            )
        gathered = over.gathered("da", "da", {"bias": "da"} if self.bias else {})
        return Derivation([*forward, over.result()], [*backward, *gathered, *over.d_initial(2, back(0))])

    def function_at(self, t: int) -> Activation:
        """Return f of a time step, counted from 0."""
        return FUNCTIONS[self.nonlinearity]()

    def forward_through_time(self, context: LayerContext) -> Ops:
        U = context.parameters["recurrent_weight"]
        A, ops = project_inputs(context, context.parameters.get("bias"))
        context.saved["A"], H = A, states(context, self.units)
        by_state = np.empty_like(H[0])
        apply = [self.function_at(t).forward(A[t], H[t + 1]) for t in range(len(A))]

        def advance() -> None:
            for t in range(len(A)):
                np.matmul(H[t], U, out=by_state)
                np.add(A[t], by_state, A[t])
                apply[t]()

        return [*ops, *begin(context, H[0]), advance, result_of(context)]

    def backward_through_time(self, context: LayerContext) -> Ops:
        U = context.parameters["recurrent_weight"]
        A, H = context.saved["A"], context.saved["H"]
        dH, arrive = receive_state_gradients(context)
        dA, by_next = np.empty_like(A), np.empty_like(H[0])
        differentiate = [self.function_at(t).backward(A[t], H[t + 1], dH[t], dA[t]) for t in range(len(A))]

        def retreat() -> None:
            by_next.fill(0)
            for t in reversed(range(len(A))):
                np.add(dH[t], by_next, dH[t])
                differentiate[t]()
                np.matmul(dA[t], U.T, out=by_next)

        return [arrive, retreat, *return_to_start(context, by_next), *gather_gradients(context, dA, dA)]
