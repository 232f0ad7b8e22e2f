"""The mistakes in matmul, Z = X_1 X_2, and in transpose."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.convention import orient
from core.layers.shared.arithmetic import sum_to_operand
from core.layers.shared.matrices import transposed


class ProductBackward(OfKind):
    """dX_1 = dZ X_2ᵀ, dX_2 = X_1ᵀ dZ, with other factors."""

    kinds = ("matmul",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    why = "Z = X_1 X_2, so dX_1 = dZ X_2ᵀ and dX_2 = X_1ᵀ dZ."
    unseen = "both formulas give the same numbers"

    def factors(self, D: Array, left: Array, right: Array, position: int) -> tuple[Array, Array]:
        """Return the factors of the gradient of the operand at a position."""
        raise NotImplementedError

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        column = trace.network.convention == "column"
        left, right = (orient(X, column) for X in trace.read_by(layer))
        first, second = self.factors(orient(trace.deltas[layer], column), left, right, position)
        found = np.zeros_like((left, right)[position])
        if first.shape[-1] != second.shape[-2] or (first.shape[-2], second.shape[-1]) != found.shape[-2:]:
            return None
        product = np.matmul(first, second)
        if product.ndim < found.ndim:
            return None
        sum_to_operand(product, found)
        return orient(found, column)


class OperandsSwapped(ProductBackward):
    """The gradient of the other operand."""

    slug = "matmul-gradients-swapped"
    said = "is the gradient of the other operand of layer '$above'"
    wrong = r"\partial X_1 = X_1^\top \partial Z, \quad \partial X_2 = \partial Z \, X_2^\top"

    def factors(self, D: Array, left: Array, right: Array, position: int) -> tuple[Array, Array]:
        return (transposed(left), D) if position == 0 else (D, transposed(right))


class OperandNotTransposed(ProductBackward):
    """dX_1 = dZ X_2, dX_2 = X_1 dZ."""

    slug = "matmul-operand-not-transposed"
    said = "is formed with the other operand of layer '$above' not transposed"
    wrong = r"\partial X_1 = \partial Z \, X_2, \quad \partial X_2 = X_1 \, \partial Z"
    unseen = "the other operand is symmetric"

    def factors(self, D: Array, left: Array, right: Array, position: int) -> tuple[Array, Array]:
        return (D, right) if position == 0 else (left, D)


class FactorsInWrongOrder(ProductBackward):
    """dX_1 = X_2ᵀ dZ, dX_2 = dZ X_1ᵀ."""

    slug = "matmul-factors-in-wrong-order"
    said = "is a product in the wrong order in layer '$above'"
    wrong = r"\partial X_1 = X_2^\top \partial Z, \quad \partial X_2 = \partial Z \, X_1^\top"

    def factors(self, D: Array, left: Array, right: Array, position: int) -> tuple[Array, Array]:
        return (transposed(right), D) if position == 0 else (D, transposed(left))


class OwnOperand(ProductBackward):
    """dX_1 = dZ X_1ᵀ, dX_2 = X_2ᵀ dZ."""

    slug = "matmul-own-operand"
    said = "is formed with the operand itself instead of the other one of layer '$above'"
    wrong = r"\partial X_1 = \partial Z \, X_1^\top, \quad \partial X_2 = X_2^\top \partial Z"
    unseen = "both operands are equal"

    def factors(self, D: Array, left: Array, right: Array, position: int) -> tuple[Array, Array]:
        return (D, transposed(left)) if position == 0 else (transposed(right), D)


class ProductTransposed(ProductBackward):
    """dX_1 = X_2 dZᵀ, dX_2 = dZᵀ X_1."""

    slug = "matmul-gradient-transposed"
    said = "is the transpose of the gradient in layer '$above'"
    wrong = r"\partial X_1 = X_2 \, \partial Z^\top, \quad \partial X_2 = \partial Z^\top X_1"
    unseen = "the gradient is symmetric"

    def factors(self, D: Array, left: Array, right: Array, position: int) -> tuple[Array, Array]:
        return (right, transposed(D)) if position == 0 else (transposed(D), left)


class TransposeBackward(OfKind):
    """dX = dZ with its axes in another order than the inverse permutation."""

    kinds = ("transpose",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    why = "The inverse permutation brings each gradient back to the position of its number: dX = dZᵀ."

    def rearranged(self, D: Array, order: list[int], shape: tuple[int, ...]) -> Array:
        """Return dZ in the wrong arrangement."""
        raise NotImplementedError

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        kind: Any = trace.network.nodes[layer].layer
        column, (X,) = trace.network.convention == "column", trace.read_by(layer)
        shape, D = orient(X, column).shape, orient(trace.deltas[layer], column)
        found = self.rearranged(D, kind.order(len(shape)), shape)
        return orient(found, column) if found.shape == shape else None


class TransposeLeftOut(TransposeBackward):
    """dZ as it is."""

    slug = "transpose-left-out-backward"
    said = "passed through layer '$above' without being transposed"
    wrong = r"\partial X = \partial Z"
    unseen = "the gradient is symmetric"

    def rearranged(self, D: Array, order: list[int], shape: tuple[int, ...]) -> Array:
        return D


class TransposeReshaped(TransposeBackward):
    """dZ reshaped to the shape of X."""

    slug = "transpose-reshaped"
    said = "is reshaped in layer '$above' instead of transposed back"
    wrong = r"\partial X = \operatorname{reshape}(\partial Z)"
    unseen = "the axes that are exchanged have length 1"

    def rearranged(self, D: Array, order: list[int], shape: tuple[int, ...]) -> Array:
        return D.reshape(shape) if D.shape != shape else np.zeros(0)  # Of one shape, `TransposeLeftOut`.


class PermutationNotInverted(TransposeBackward):
    """dZ with the permutation of the forward pass."""

    slug = "permutation-not-inverted"
    said = "has the permutation of layer '$above' applied once more instead of its inverse"
    wrong = r"\partial X = \partial Z \text{ with the axes permuted as in the forward pass}"
    unseen = "the permutation is its own inverse"

    def rearranged(self, D: Array, order: list[int], shape: tuple[int, ...]) -> Array:
        return D.transpose(order)


PRODUCTS: tuple[type[OfKind], ...] = (
    OperandsSwapped,
    OperandNotTransposed,
    FactorsInWrongOrder,
    OwnOperand,
    ProductTransposed,
    TransposeLeftOut,
    TransposeReshaped,
    PermutationNotInverted,
)
