"""rms_norm: every example divided by the root mean square of its features."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape, real
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Ops, misfit
from core.layers.shared.normalisation import Normalisation, reduced_memory, refuse_unless
from core.parameters import Parameter
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class RmsNorm(Normalisation):
    """Root-mean-square normalisation: each example is divided by the root mean square of its features, then scaled by γ.

    With means over the f features of one example:

        Forward    r  = √(mean(X ∘ X) + ε)
                   X̂  = X / r
                   Z  = γ ∘ X̂
        Backward   dγ = Σ dZ ∘ X̂                  over all axes but the last
                   dX̂ = γ ∘ dZ
                   dX = (dX̂ − X̂ ∘ mean(dX̂ ∘ X̂)) / r

    No mean is subtracted and no β is added. The features are the last axis of the batch-first tensor, as for layer_norm.
    X and Z have the same shape; γ has shape (f,).

    Source: Zhang & Sennrich, Root Mean Square Layer Normalization (2019), §3; torch.nn.RMSNorm with weight γ.
    """

    kind: Literal["rms_norm"] = "rms_norm"

    epsilon: float = field(default=1e-5, metadata=constraints(ge=0))
    """ε, added to the mean square. 0 is allowed if every example has a nonzero feature."""

    subtracts_mean: ClassVar[bool] = False
    equations: ClassVar[dict[str, str]] = {"any": "Z = gamma * A / sqrt(mean(A * A) + epsilon)"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            misfit(f"rms_norm runs over the features of each example; it reads a tensor of shape {list(x)}.")
        return x

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        return {"gamma": Parameter(shape=inputs[0][-1:], initial="ones")}

    def statistics_axes(self, rank: int) -> tuple[int, ...]:
        return (rank - 1,)

    def feature_axis(self, rank: int) -> int:
        return rank - 1

    def derivation(self, layout: Layout) -> Derivation:
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        every, over = tuple(range(len(layout.result) - 1)), "axis=-1, keepdims=True"
        dX = f"(<dX_hat> - <X_hat> * (<dX_hat> * <X_hat>).mean({over})) / <s>"
        return Derivation(
            [
                Equation(
                    "s",
                    rf"\sqrt{{\operatorname{{mean}}(<X>^2) + {self.epsilon:g}}}",
                    f"np.sqrt(({X}**2).mean({over}) + {self.epsilon!r})",
                    r"The root mean square of each example, with $\varepsilon$ under the root.",
                ),
                Equation("X_hat", "<X> / <s>", f"{X} / <s>", "Divided by the root mean square.", r"\hat X"),
                Equation(
                    "Z",
                    r"<gamma> \circ <X_hat>",
                    layout.sent("<gamma> * <X_hat>", layout.result),
                    r"$\gamma$ scales every feature.",
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
                    "dX_hat",
                    r"<gamma> \circ <dZ>",
                    f"<gamma> * {dZ}",
                    r"$\partial z / \partial \hat x = \gamma$.",
                    r"\partial \hat X",
                ),
                Equation(
                    "dX",
                    r"\bigl(<dX_hat> - <X_hat> \circ \operatorname{mean}(<dX_hat> \circ <X_hat>)\bigr) / <s>",
                    layout.sent(dX, layout.inputs[0]),
                    r"The component along $\hat x$ is subtracted, because the root mean square of $\hat x$ is fixed.",
                ),
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        values = context.saved["standardised"] = np.empty_like(Z)
        size = context.saved["deviation"] = reduced_memory(Z, -1)

        def op() -> None:
            if self.epsilon == 0:
                largest = np.abs(real(X)).max(axis=-1, keepdims=True)
                refuse_unless(largest > 0, -1, context, "and ε are all 0, and X̂ would be 0/0")
            np.sqrt((X * X).mean(axis=-1, keepdims=True) + self.epsilon, size)
            np.divide(X, size, values)

        return [op, partial(np.multiply, values, context.parameters["gamma"], Z)]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ, gamma = context.d_inputs, context.d_result, context.parameters["gamma"]
        values, size = context.saved["standardised"], context.saved["deviation"]
        d_gamma = context.gradients["gamma"]
        axes = tuple(range(dZ.ndim - 1))
        ops: list[Op] = [lambda: np.sum(dZ * values, axis=axes, out=d_gamma)]
        if dX is not None:
            ops += [partial(np.multiply, dZ, gamma, dX), lambda: _without_radial_part(dX, values, size)]
        return ops

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        axes = tuple(range(1, context.d_result.ndim - 1))
        return {"gamma": np.sum(context.d_result * context.saved["standardised"], axis=axes)}


def _without_radial_part(gradient: Array, values: Array, size: Array) -> None:
    """Turn ∂L/∂X̂ into ∂L/∂X, in place: moving X along itself changes X̂ by next to nothing."""
    gradient -= values * (gradient * values).mean(axis=-1, keepdims=True)
    gradient /= size
