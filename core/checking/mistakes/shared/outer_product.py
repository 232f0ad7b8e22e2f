"""The base class of mistakes in the weight gradient of a dense layer: a product of wrong arrays."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class WrongProduct(Mistake):
    """∂L/∂W of a dense layer from other factors than its input and its delta."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("weight",)

    def factors(self, trace: Trace, layer: str) -> tuple[Array | None, Array | None]:
        """Return the arrays in place of A and Δ in Aᵀ Δ (row convention); None for one that does not exist."""
        raise NotImplementedError

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return self._product(trace, quantity.layer) is not None

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        found = self._product(trace, layer) if parameter == "weight" else None
        return super().data_gradient(trace, layer, parameter) if found is None else found

    def _product(self, trace: Trace, layer: str) -> Array | None:
        if not trace.network.multiplies_by_weight(layer):
            return None
        A, D = self.factors(trace, layer)
        if A is None or D is None or A.ndim != 2 or D.ndim != 2 or len(A) != len(D):
            return None
        found = np.asarray(A.T @ D)
        return found if found.shape == trace.parameters(layer)["weight"].shape else None
