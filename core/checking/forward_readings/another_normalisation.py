"""A normalisation over other axes, or with ε outside the root."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.wrapped import Wrapped
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.batch_norm import BatchNorm
from core.network import Node


def axes_of(node: Node) -> tuple[int, ...]:
    """Return the axes over which a normalisation averages."""
    rank = len(node.shape)
    if isinstance(node.layer, BatchNorm):
        return tuple(axis for axis in range(rank) if axis != 1)
    return (rank - 1,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnotherNormalisation(Wrapped):
    """X standardised over any axes, with ε under the root or beside it.

    Forward    X̂  = (X − μ)/s                  s = √(σ² + ε) or σ + ε; without μ for rms_norm
               Z  = γ ∘ X̂ + β
    Backward   dX̂ = γ ∘ dZ
               dX = (dX̂ − mean(dX̂) − X̂ ∘ mean(dX̂ ∘ X̂) s/σ)/s, with s/σ = 1 where ε is under the root
    """

    epsilon: float
    axes: tuple[int, ...]
    outside: bool = False
    """Whether ε is added to σ, not to σ²."""

    centred: bool = True
    """Whether μ is subtracted."""

    def _per_feature(self, values: Array, rank: int) -> Array:
        """γ or β in a shape that broadcasts over X."""
        axis = 1 if isinstance(self.inner, BatchNorm) else rank - 1
        return values.reshape([-1 if each == axis else 1 for each in range(rank)])

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        gamma, beta = context.parameters["gamma"], context.parameters.get("beta")
        saved, axes = context.saved, self.axes

        def op() -> None:
            values = X - X.mean(axis=axes, keepdims=True) if self.centred else np.array(X)
            variance = (values * values).mean(axis=axes, keepdims=True)
            deviation = np.sqrt(variance)
            divisor = deviation + self.epsilon if self.outside else np.sqrt(variance + self.epsilon)
            saved.update(
                values=values / divisor, divisor=divisor, slope=divisor / (deviation if self.outside else divisor)
            )
            np.multiply(saved["values"], self._per_feature(gamma, X.ndim), Z)
            if beta is not None:
                np.add(Z, self._per_feature(beta, X.ndim), Z)

        saved["values"] = np.zeros_like(Z)
        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ, gamma, saved = context.d_inputs, context.d_result, context.parameters["gamma"], context.saved
        axis = 1 if isinstance(self.inner, BatchNorm) else dZ.ndim - 1
        others, axes = tuple(each for each in range(dZ.ndim) if each != axis), self.axes

        def op() -> None:
            values, divisor = saved["values"], saved["divisor"]
            np.sum(dZ * values, axis=others, out=context.gradients["gamma"])
            if "beta" in context.gradients:
                np.sum(dZ, axis=others, out=context.gradients["beta"])
            if dX is None:
                return
            d_values = dZ * self._per_feature(gamma, dZ.ndim)
            mean = d_values.mean(axis=axes, keepdims=True) if self.centred else 0.0
            radial = (d_values * values).mean(axis=axes, keepdims=True) * saved["slope"]
            np.divide(d_values - mean - values * radial, divisor, dX)

        return [op]
