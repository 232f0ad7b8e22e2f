"""Normalisation: X̂ = (X − μ)/√(σ² + ε), its gradient, and the refusal to divide by 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.arrays import Array, real
from core.convention import orient_shape
from core.layer_context import LayerContext
from core.layers.base import Layer

Axes = int | tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation(Layer):
    """Base of the layers that standardise what they read: X̂ = (X − μ)/√(σ² + ε), which γ scales."""

    subtracts_mean: ClassVar[bool] = True
    """Whether μ is a mean; otherwise it is 0, and σ² is the mean square."""

    def statistics_axes(self, rank: int) -> tuple[int, ...]:
        """Return the axes of a tensor of this rank over which μ and σ² are taken."""
        raise NotImplementedError

    def feature_axis(self, rank: int) -> int:
        """Return the axis of a tensor of this rank along which γ holds a number for each position."""
        raise NotImplementedError

    @property
    def statistics_vary(self) -> bool:
        """Whether μ and σ² are those of what the layer reads, so that its gradient has terms through them."""
        return True


def _axes_from_front(axes: Axes, rank: int) -> set[int]:
    """Return the axes counted from the front."""
    return {axis % rank for axis in ((axes,) if isinstance(axes, int) else axes)}


def reduced_memory(X: Array, axes: Axes) -> Array:
    """Allocate the shape of X with length 1 for the axes that are averaged over."""
    over = _axes_from_front(axes, X.ndim)
    return np.empty([1 if axis in over else length for axis, length in enumerate(X.shape)], X.dtype)


def standardise(X: Array, axes: Axes, epsilon: float, values: Array, deviation: Array) -> tuple[Array, Array]:
    """Write X̂ into `values` and √(σ² + ε) into `deviation`; return μ and σ², taken along the axes.

    σ² is the mean square distance from μ: 1/N, not 1/(N − 1). Squares are x·x, without conjugation, so that a complex
    step passes.
    """
    mean = X.mean(axis=axes, keepdims=True)
    np.subtract(X, mean, values)
    variance = (values * values).mean(axis=axes, keepdims=True)
    np.sqrt(variance + epsilon, deviation)
    np.divide(values, deviation, values)
    return mean, variance


def through_standardise(d_values: Array, values: Array, deviation: Array, axes: Axes, dX: Array) -> None:
    """Write ∂L/∂X, given ∂L/∂X̂.

    dX = (dX̂ − mean(dX̂) − X̂ ∘ mean(dX̂ ∘ X̂)) / √(σ² + ε)

    The first mean is there because μ depends on X, the second because σ does.
    """
    np.multiply(values, (d_values * values).mean(axis=axes, keepdims=True), dX)
    np.add(dX, d_values.mean(axis=axes, keepdims=True), dX)
    np.subtract(d_values, dX, dX)
    np.divide(dX, deviation, dX)


def spread(X: Array, axes: Axes) -> Array:
    """Return the largest minus the smallest number along the axes: exactly 0 if all are equal, however μ is rounded."""
    return np.asarray(np.ptp(real(X), axis=axes, keepdims=True))


def refuse_unless(divisible: Array, axes: Axes, context: LayerContext, why: str) -> None:
    """Refuse a division by 0.

    Args:
        divisible: where division is possible; the axes that are averaged over have length 1.
        axes: those axes.
        context: the context of the layer.
        why: the reason, continuing "the numbers at [...]".

    Raises:
        Refusal: `non-finite`, with the first index at which it is not; ":" stands for a whole axis.
    """
    if divisible.all():
        return
    X = context.inputs[0]
    first = np.argwhere(~divisible)[0]
    over = _axes_from_front(axes, X.ndim)
    at = [":" if axis in over else str(index) for axis, index in enumerate(first)]
    at = at[::-1] if context.column and len(at) == 2 else at
    shape = list(orient_shape(X.shape, context.column))
    detail = f"in the tensor of shape {shape} that it reads, the numbers at [{', '.join(at)}] {why}."
    raise context.refusal("non-finite", detail, hint="Send an epsilon above 0.")
