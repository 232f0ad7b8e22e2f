"""The mistakes in the bias gradient that are more than a factor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _WrongBias(Mistake):
    """∂L/∂b of a layer with a rank-2 delta that is not the sum over the examples."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("bias",)

    def instead(self, trace: Trace, layer: str) -> Array:
        """Return the wrong gradient."""
        raise NotImplementedError

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.network.multiplies_by_weight(quantity.layer) and trace.deltas[quantity.layer].ndim == 2

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        return self.instead(trace, layer) if parameter == "bias" else super().data_gradient(trace, layer, parameter)


class BiasGradientNotSummed(_WrongBias):
    """∂L/∂b = Δ, a row for each example."""

    slug = "bias-gradient-not-summed"
    said = "is the delta of each example; it was not summed over the examples"
    wrong = r"\frac{\partial L}{\partial b} = \delta"
    why = "All $n examples share one bias, so its gradient is the sum of their deltas and has the shape of b."
    unseen = "with one example there is nothing to sum"

    def instead(self, trace: Trace, layer: str) -> Array:
        return trace.deltas[layer]


class BiasGradientNotSummedColumn(BiasGradientNotSummed):
    """∂L/∂b = Δ as a caller of the column convention sends it."""

    def instead(self, trace: Trace, layer: str) -> Array:
        return trace.deltas[layer].T


class BiasGradientOverWrongAxis(_WrongBias):
    """∂L/∂b summed over the units: a number for each example."""

    slug = "bias-gradient-over-wrong-axis"
    said = "is summed over the units instead of the examples"
    wrong = r"\frac{\partial L}{\partial b} = \overunits{\delta} \quad \text{(one number for each example)}"
    why = (
        "The sum runs over the $n examples and leaves one number for each unit. If there are as many examples as "
        "units, both sums have the same shape and no error is raised."
    )

    def instead(self, trace: Trace, layer: str) -> Array:
        return np.asarray(trace.deltas[layer].sum(axis=1))


class BiasGradientIsWeightGradient(_WrongBias):
    """∂L/∂b = ∂L/∂W, as in b −= α dW."""

    slug = "bias-gradient-is-weight-gradient"
    said = "is the weight gradient"
    wrong = r"\frac{\partial L}{\partial b} = \frac{\partial L}{\partial W}"
    why = "The gradient of the bias is the sum of the deltas over the examples; here dW was used in its place."

    def instead(self, trace: Trace, layer: str) -> Array:
        return super().data_gradient(trace, layer, "weight")


BIAS_GRADIENT: tuple[type[Mistake], ...] = (
    BiasGradientNotSummed,
    BiasGradientNotSummedColumn,
    BiasGradientOverWrongAxis,
    BiasGradientIsWeightGradient,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
