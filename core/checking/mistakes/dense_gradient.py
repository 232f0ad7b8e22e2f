"""The mistakes in the gradients of a dense layer that lose its input, its outer product or its units."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.bias_gradient import _WrongBias
from core.checking.mistakes.shared.outer_product import WrongProduct
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class InputLeftOut(WrongProduct):
    """1ᵀ Δ in every row: the delta without the input that belongs to each weight."""

    slug = "input-left-out"
    said = "is the delta itself for every input: it is not multiplied by what the layer reads"
    wrong = r"\frac{\partial L}{\partial W} = \outer{J}{\delta}, \quad J_{ij} = 1"
    why = (
        "∂z_j/∂w_ij is the input x_i, so each delta is multiplied by the input of its weight. Only the bias, whose "
        "input is always 1, has the delta itself as its gradient."
    )
    unseen = "every input of the layer is 1"

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        return np.ones_like(trace.read_by(layer)[0]), trace.deltas[layer]


class InnerProduct(Mistake):
    """Σ δ ∘ a, one number: np.dot of two vectors where their outer product belongs."""

    slug = "inner-product-instead-of-outer"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("weight",)
    said = "is one number, the inner product of the delta and the layer's own activations"
    wrong = r"\frac{\partial L}{\partial W} = \delta \cdot a \quad \text{(a number)}"
    why = (
        "Each weight has its own gradient, x_i δ_j: the outer product of the layer's input and its delta. np.dot of "
        "two vectors adds all products to one number."
    )

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.network.multiplies_by_weight(quantity.layer) and self._other(trace, quantity.layer) is not None

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        other = self._other(trace, layer)
        if parameter != "weight" or other is None:
            return super().data_gradient(trace, layer, parameter)
        return np.asarray(np.sum(self._error(trace, layer) * other))

    def regularisation(self, trace: Trace, layer: str, parameter: str) -> Array:
        return np.zeros(()) if parameter == "weight" else super().regularisation(trace, layer, parameter)

    def _error(self, trace: Trace, layer: str) -> Array:
        return trace.deltas[layer]

    def _other(self, trace: Trace, layer: str) -> Array | None:
        return trace.activations[layer]


class InnerProductOfError(InnerProduct):
    """The same with ∂L/∂A or A − Y, the error before it has passed the activation."""

    said = "is one number, the inner product of the error and the layer's own activations"

    def _error(self, trace: Trace, layer: str) -> Array:
        network = trace.network
        if layer != network.last:
            return self.arriving(trace, layer)
        return np.asarray(trace.activations[layer] - network.objective.targets)


class InnerProductWithInput(InnerProduct):
    """The same with the layer's input, where it has as many numbers as the layer's output."""

    said = "is one number, the inner product of the delta and the layer's input"
    wrong = r"\frac{\partial L}{\partial W} = \delta \cdot x \quad \text{(a number)}"

    def _other(self, trace: Trace, layer: str) -> Array | None:
        (X,) = trace.read_by(layer)
        return X if X.shape == trace.deltas[layer].shape else None


class BiasGradientOneNumber(_WrongBias):
    """∂L/∂b summed over the units as well: np.sum without an axis."""

    slug = "bias-gradient-one-number"
    said = "is summed over the units as well as the examples: one number for every bias"
    wrong = r"\frac{\partial L}{\partial b} = \mathbf{1}^\top \delta \, \mathbf{1}"
    why = (
        "Each unit has its own bias, so the sum runs over the examples alone: np.sum without an axis adds all units "
        "too. After softmax with cross-entropy that sum is 0."
    )
    unseen = "the layer has one unit"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return super().applies(trace, quantity) and trace.deltas[quantity.layer].shape[1] > 1

    def instead(self, trace: Trace, layer: str) -> Array:
        D = trace.deltas[layer]
        return np.full(D.shape[1:], D.sum())


class BiasGradientScalar(BiasGradientOneNumber):
    """The same, as the number that it is."""

    def instead(self, trace: Trace, layer: str) -> Array:
        return np.asarray(trace.deltas[layer].sum())


class BiasGradientScalarInRow(BiasGradientOneNumber):
    """The same with the axes kept: one number in a vector or matrix of one."""

    def instead(self, trace: Trace, layer: str) -> Array:
        return np.asarray(trace.deltas[layer].sum()).reshape(1)


class BiasGradientMeanOfAll(BiasGradientOneNumber):
    """The mean of all deltas: np.mean without an axis."""

    said = "is the mean over the units and the examples: one number for every bias"
    wrong = r"\frac{\partial L}{\partial b} = \tfrac{1}{nK} \mathbf{1}^\top \delta \, \mathbf{1}"

    def instead(self, trace: Trace, layer: str) -> Array:
        D = trace.deltas[layer]
        return np.full(D.shape[1:], D.mean())


DENSE_GRADIENT: tuple[type[Mistake], ...] = (
    InputLeftOut,
    InnerProduct,
    InnerProductOfError,
    InnerProductWithInput,
    BiasGradientOneNumber,
    BiasGradientScalar,
    BiasGradientScalarInRow,
    BiasGradientMeanOfAll,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
