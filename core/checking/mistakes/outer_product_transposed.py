"""outer-product-transposed: Δᵀ A instead of Aᵀ Δ."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class OuterProductTransposed(Mistake):
    """∂L/∂W transposed, which shows in no shape where W is square."""

    slug = "outer-product-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "is transposed: its two factors stand in the wrong order"
    wrong = r"\frac{\partial L}{\partial W} = \left( \text{the right value} \right)^\top"
    why = (
        "∂L/∂W has the layout of W, so that the update can subtract it from W. For a square W the wrong order gives "
        "the same shape and raises no error."
    )
    unseen = "the gradient is symmetric"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        shape = trace.parameters(quantity.layer)[quantity.name].shape
        return len(shape) == 2 and shape[0] == shape[1] > 1

    def gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        return _turned(super().gradient(trace, layer, parameter))


class DataGradientTransposed(OuterProductTransposed):
    """The same with a penalty that is added after it and is not transposed."""

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return super().applies(trace, quantity) and trace.network.objective.loss.l2 > 0

    def gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        return _turned(self.data_gradient(trace, layer, parameter)) + self.regularisation(trace, layer, parameter)


def _turned(array: Array) -> Array:
    return array.T if array.ndim == 2 and array.shape[0] == array.shape[1] else array
