"""layer_norm: every example standardised over its features."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Ops, misfit
from core.layers.shared.normalisation import (
    Normalisation,
    reduced_memory,
    refuse_unless,
    spread,
    standardise,
    through_standardise,
)
from core.parameters import Parameter
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNorm(Normalisation):
    """Layer normalisation: each example is standardised over its own features, then scaled by γ and shifted by β.

    For the f features x of one example, with mean μ and variance σ² = (1/f) Σ (x − μ)²:

        Forward    X̂  = (X − μ) / √(σ² + ε)
                   Z  = γ ∘ X̂ + β
        Backward   dβ = Σ dZ                      over all axes but the last
                   dγ = Σ dZ ∘ X̂
                   dX̂ = γ ∘ dZ
                   dX = (dX̂ − mean(dX̂) − X̂ ∘ mean(dX̂ ∘ X̂)) / √(σ² + ε)

    The features are the last axis of the batch-first tensor (axis 0 of a matrix under `column`); a sequence, which is
    n x time x features, is standardised at each time step. X and Z have the same shape; γ and β have shape (f,).

    Source: Ba, Kiros & Hinton, Layer Normalization (2016), §3; torch.nn.LayerNorm with weight γ and bias β.
    """

    kind: Literal["layer_norm"] = "layer_norm"

    epsilon: float = field(default=1e-5, metadata=constraints(ge=0))
    """ε, added to the variance. 0 is allowed if the features of every example vary."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = gamma * (A - mean) / sqrt(variance + epsilon) + beta"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            misfit(f"layer_norm runs over the features of each example; it reads a tensor of shape {list(x)}.")
        return x

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        shape = inputs[0][-1:]
        return {"gamma": Parameter(shape=shape, initial="ones"), "beta": Parameter(shape=shape)}

    def statistics_axes(self, rank: int) -> tuple[int, ...]:
        return (rank - 1,)

    def feature_axis(self, rank: int) -> int:
        return rank - 1

    def derivation(self, layout: Layout) -> Derivation:
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        over = "axis=-1, keepdims=True"
        every = tuple(range(len(layout.result) - 1))
        dX = f"(<dX_hat> - <dX_hat>.mean({over}) - <X_hat> * (<dX_hat> * <X_hat>).mean({over})) / <s>"
        return Derivation(
            [
                Equation(
                    "mu",
                    r"\operatorname{mean}(<X>)",
                    f"{X}.mean({over})",
                    "The mean over the features of each example.",
                    r"\mu",
                ),
                Equation(
                    "s",
                    rf"\sqrt{{\operatorname{{mean}}\bigl((<X> - <mu>)^2\bigr) + {self.epsilon:g}}}",
                    f"np.sqrt((({X} - <mu>)**2).mean({over}) + {self.epsilon!r})",
                    r"The standard deviation over the features of each example, with $\varepsilon$ under the root.",
                ),
                Equation(
                    "X_hat",
                    "(<X> - <mu>) / <s>",
                    f"({X} - <mu>) / <s>",
                    r"Standardised: $\hat x = (x - \mu) / s$.",
                    r"\hat X",
                ),
                Equation(
                    "Z",
                    r"<gamma> \circ <X_hat> + <beta>",
                    layout.sent("<gamma> * <X_hat> + <beta>", layout.result),
                    r"$\gamma$ scales and $\beta$ shifts every feature.",
                ),
            ],
            [
                Equation(
                    "d_gamma",
                    r"\textstyle\sum <dZ> \circ <X_hat>",
                    f"({dZ} * <X_hat>).sum(axis={every})",
                    r"$\partial z / \partial \gamma = \hat x$, summed over the examples.",
                ),
                Equation(
                    "d_beta",
                    r"\textstyle\sum <dZ>",
                    f"{dZ}.sum(axis={every})",
                    r"$\partial z / \partial \beta = 1$, summed over the examples.",
                ),
                Equation(
                    "dX_hat",
                    r"<gamma> \circ <dZ>",
                    f"<gamma> * {dZ}",
                    r"$\partial z / \partial \hat x = \gamma$.",
                    r"\partial \hat X",
                ),
                Equation(
                    "dX",
                    r"\bigl(<dX_hat> - \operatorname{mean}(<dX_hat>)"
                    r" - <X_hat> \circ \operatorname{mean}(<dX_hat> \circ <X_hat>)\bigr) / <s>",
                    layout.sent(dX, layout.inputs[0]),
                    (
                        r"$x$ acts directly, through $\mu$ and through $s$: the two means are the terms through $\mu$ "
                        r"and $s$."
                    ),
                ),
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        gamma, beta = context.parameters["gamma"], context.parameters["beta"]
        values = context.saved["standardised"] = np.empty_like(Z)
        deviation = context.saved["deviation"] = reduced_memory(Z, -1)

        def op() -> None:
            if self.epsilon == 0:
                refuse_unless(spread(X, -1) > 0, -1, context, "are all the same: σ² and ε are 0, and X̂ would be 0/0")
            standardise(X, -1, self.epsilon, values, deviation)

        return [op, partial(np.multiply, values, gamma, Z), partial(np.add, Z, beta, Z)]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ, gamma = context.d_inputs, context.d_result, context.parameters["gamma"]
        values, deviation = context.saved["standardised"], context.saved["deviation"]
        d_gamma, d_beta = context.gradients["gamma"], context.gradients["beta"]
        axes = tuple(range(dZ.ndim - 1))
        ops: list[Op] = [
            partial(np.sum, dZ, axis=axes, out=d_beta),
            lambda: np.sum(dZ * values, axis=axes, out=d_gamma),
        ]
        if dX is not None:
            ops.append(lambda: through_standardise(dZ * gamma, values, deviation, -1, dX))
        return ops

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        dZ, axes = context.d_result, tuple(range(1, context.d_result.ndim - 1))
        return {"gamma": np.sum(dZ * context.saved["standardised"], axis=axes), "beta": np.sum(dZ, axis=axes)}
