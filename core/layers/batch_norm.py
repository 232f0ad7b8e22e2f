"""batch_norm: every feature standardised over the batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np

from core.arrays import Array, Op, Shape
from core.equations.batch_norm import WHY_MEAN, WHY_ROOT, batch_norm_forms
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.errors import Issue
from core.layer_context import LayerContext
from core.layers.base import Ops, misfit
from core.layers.shared.normalisation import Normalisation, reduced_memory, refuse_unless, spread, standardise
from core.parameters import Parameter
from core.spec import constraints


def _over(X: Array) -> tuple[int, ...]:
    """Return the axes that are averaged over: all but the features (n x features) or the channels (n x channels x ...)."""
    return (0, *range(2, X.ndim))


def _beside(X: Array, values: Array) -> Array:
    """Return one value per feature or channel in a shape that broadcasts over X."""
    return values.reshape(1, -1, *(1 for _ in X.shape[2:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm(Normalisation):
    """Batch normalisation: each feature is standardised over the examples, then scaled by γ and shifted by β.

    For the N values x of one feature, with mean μ and variance σ² = (1/N) Σ (x − μ)²:

        Forward    X̂  = (X − μ) / √(σ² + ε)
                   Z  = γ ∘ X̂ + β
        Backward   dβ = Σ dZ
                   dγ = Σ dZ ∘ X̂
                   dX = γ / (N √(σ² + ε)) ∘ (N dZ − dβ − X̂ ∘ dγ)

    A matrix n x features is standardised per feature over the n examples; images n x channels x height x width and
    sequences n x channels x length per channel (axis 1) over all other axes. X and Z have the same shape; γ, β, μ and σ²
    hold one number for each feature or channel.

    In mode "eval", μ and σ² are the running statistics in `state`; they are constants, so dX = γ / √(σ² + ε) ∘ dZ. In mode
    "train", μ and σ² are the statistics of the batch, and the response's `state` holds the updated running statistics:

        running_mean        (1 − momentum) running_mean + momentum μ
        running_variance    (1 − momentum) running_variance + momentum σ² N / (N − 1)

    Running statistics that are not sent start at mean 0 and variance 1. With N = 1 there is no unbiased variance, so
    running_variance keeps its value.

    Source: Ioffe & Szegedy, Batch Normalization (2015), §3; Yeh, Deriving Batch-Norm Backprop Equations (2017), for dX;
    torch.nn.BatchNorm1d for the running statistics.
    """

    kind: Literal["batch_norm"] = "batch_norm"

    epsilon: float = field(default=1e-5, metadata=constraints(ge=0))
    """ε, added to the variance. 0 is allowed if every feature varies."""

    momentum: float = field(default=0.1, metadata=constraints(ge=0, le=1))
    """Weight of this batch in the running statistics, from 0 to 1."""

    mode: Literal["train", "eval"] = field(default="train", metadata=constraints(strict=False))
    """`train` standardises by the statistics of the batch, `eval` by the running statistics, which `state` must hold."""

    accepts_parts: ClassVar[bool] = True
    equations: ClassVar[dict[str, str]] = {"any": "Z = gamma * (A - mean) / sqrt(variance + epsilon) + beta"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            misfit(f"batch_norm reads examples with features or channels; it reads a tensor of shape {list(x)}.")
        return x

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        shape = inputs[0][1:2]
        return {"gamma": Parameter(shape=shape, initial="ones"), "beta": Parameter(shape=shape)}

    def state(self, *inputs: Shape) -> dict[str, Shape]:
        return {"running_mean": inputs[0][1:2], "running_variance": inputs[0][1:2]}

    def needs_state(self) -> bool:
        return self.mode == "eval"

    def at_evaluation(self) -> Self:
        return replace(self, mode="eval")

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return self.mode == "train"

    def statistics_axes(self, rank: int) -> tuple[int, ...]:
        return (0, *range(2, rank))

    def feature_axis(self, rank: int) -> int:
        return 1

    @property
    def statistics_vary(self) -> bool:
        return self.mode == "train"

    def derivation(self, layout: Layout) -> Derivation:
        x = layout.core_shape(layout.inputs[0])
        axes = tuple(axis for axis in range(len(x)) if axis != 1)
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        across = f".reshape({(1, x[1], *[1] * (len(x) - 2))})"
        gamma, beta = f"<gamma>{across}", f"<beta>{across}"
        if self.mode == "train":
            mean = Equation(
                "mu", r"\operatorname{mean}(<X>)", f"{X}.mean(axis={axes}, keepdims=True)", WHY_MEAN, r"\mu"
            )
            variance = f"(({X} - <mu>)**2).mean(axis={axes}, keepdims=True)"
            square = r"\operatorname{mean}\bigl((<X> - <mu>)^2\bigr)"
        else:
            mean = Equation(
                "mu",
                "<running_mean>",
                f"<running_mean>{across}",
                "In evaluation mode the running statistics are constants.",
                r"\mu",
            )
            variance, square = f"<running_variance>{across}", "<running_variance>"
        forward = [
            mean,
            Equation(
                "s", rf"\sqrt{{{square} + {self.epsilon:g}}}", f"np.sqrt({variance} + {self.epsilon!r})", WHY_ROOT
            ),
            Equation(
                "X_hat",
                r"(<X> - <mu>) / <s>",
                f"({X} - <mu>) / <s>",
                r"Standardised: $\hat x = (x - \mu) / s$.",
                r"\hat X",
            ),
            Equation(
                "Z",
                r"<gamma> \circ <X_hat> + <beta>",
                layout.sent(f"{gamma} * <X_hat> + {beta}", layout.result),
                r"$\gamma$ scales and $\beta$ shifts every feature, so that the layer can undo the standardisation.",
            ),
        ]
        sums = [
            Equation(
                "d_gamma",
                r"\textstyle\sum <dZ> \circ <X_hat>",
                f"({dZ} * <X_hat>).sum(axis={axes})",
                r"$\partial z / \partial \gamma = \hat x$, summed over the examples.",
            ),
            Equation(
                "d_beta",
                r"\textstyle\sum <dZ>",
                f"{dZ}.sum(axis={axes})",
                r"$\partial z / \partial \beta = 1$, summed over the examples.",
            ),
        ]
        if self.mode == "eval":
            through = layout.sent(f"{dZ} * ({gamma} / <s>)", layout.inputs[0])
            return Derivation(
                forward,
                [
                    *sums,
                    Equation(
                        "dX",
                        r"<gamma> / <s> \circ <dZ>",
                        through,
                        r"The layer is linear in evaluation mode: $\partial z / \partial x = \gamma / s$.",
                    ),
                ],
            )
        N = math.prod(x) // x[1]
        return Derivation(forward, [*sums, *batch_norm_forms(layout, dZ, gamma, axes, N)])

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        gamma, beta = (_beside(X, context.parameters[name]) for name in ("gamma", "beta"))
        values = context.saved["standardised"] = np.empty_like(Z)
        context.saved["deviation"] = reduced_memory(Z, _over(Z))
        standardised = self._by_batch(context) if self.mode == "train" else self._by_state(context)
        return [standardised, partial(np.multiply, values, gamma, Z), partial(np.add, Z, beta, Z)]

    def _by_batch(self, context: LayerContext) -> Op:
        """Return the operation that standardises by the statistics of the batch and updates the running ones."""
        (X,), values, deviation = context.inputs, context.saved["standardised"], context.saved["deviation"]
        axes, features = _over(X), X.shape[1]
        old_mean = context.state.setdefault("running_mean", np.zeros(features, context.dtype))
        old_variance = context.state.setdefault("running_variance", np.ones(features, context.dtype))
        new_mean = context.new_state["running_mean"] = np.empty(features, context.dtype)
        new_variance = context.new_state["running_variance"] = np.empty(features, context.dtype)
        count, share = X.size // features, self.momentum
        if count == 1:
            context.warnings = [_alone()]

        def op() -> None:
            if self.epsilon == 0:
                refuse_unless(
                    spread(X, axes) > 0, axes, context, "are all the same: σ² and ε are 0, and X̂ would be 0/0"
                )
            mean, variance = standardise(X, axes, self.epsilon, values, deviation)
            new_mean[:] = (1 - share) * old_mean + share * mean.ravel()
            new_variance[:] = old_variance
            if count > 1:
                unbiased = variance.ravel() * (count / (count - 1))
                new_variance[:] = (1 - share) * old_variance + share * unbiased

        return op

    def _by_state(self, context: LayerContext) -> Op:
        """Return the operation that standardises by the running statistics, which do not change."""
        (X,), values, deviation = context.inputs, context.saved["standardised"], context.saved["deviation"]
        context.new_state.update(context.state)
        mean, variance = (_beside(X, context.state[name]) for name in ("running_mean", "running_variance"))

        def op() -> None:
            refuse_unless(
                variance + self.epsilon > 0, _over(X), context, "have a running_variance + ε that has no positive root"
            )
            np.sqrt(variance + self.epsilon, deviation)
            np.subtract(X, mean, values)
            np.divide(values, deviation, values)

        return op

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ = context.d_inputs, context.d_result
        values, deviation = context.saved["standardised"], context.saved["deviation"]
        d_gamma, d_beta = context.gradients["gamma"], context.gradients["beta"]
        gamma, d_gammas, d_betas = (_beside(dZ, array) for array in (context.parameters["gamma"], d_gamma, d_beta))
        axes, count = _over(dZ), dZ.size // len(d_beta)
        ops: list[Op] = [
            partial(np.sum, dZ, axis=axes, out=d_beta),
            lambda: np.sum(dZ * values, axis=axes, out=d_gamma),
        ]
        if dX is None:
            return ops
        if self.mode == "train":
            ops += [
                lambda: np.multiply(values, d_gammas / -count, dX),
                lambda: np.subtract(dX, d_betas / count, dX),
                partial(np.add, dX, dZ, dX),
                lambda: np.multiply(dX, gamma / deviation, dX),
            ]
        else:
            ops.append(lambda: np.multiply(dZ, gamma / deviation, dX))
        return ops

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        dZ, axes = context.d_result, tuple(range(2, context.d_result.ndim))
        return {"gamma": np.sum(dZ * context.saved["standardised"], axis=axes), "beta": np.sum(dZ, axis=axes)}


def _alone() -> Issue:
    return Issue(
        code="single-example",
        detail="batch_norm in mode train has one number of each feature: X̂ is 0, the result is beta, and the gradient "
        "with respect to what the layer reads is 0.",
        hint='"mode": "eval" uses running statistics.',
    )
