"""The base class of mistakes in the recursion from a delta to the layer below."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class WrongRecursion(Mistake):
    """Δ W' of a dense layer formed in another way, wherever such a layer reads the tensor."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        """Return the wrong value of Δ W' (row convention); None if the shapes do not allow the mistake."""
        raise NotImplementedError

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return any(self._found(trace, reader.layer) is not None for reader in trace.network.readers[quantity.layer])

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        found = self._found(trace, layer)
        return super().through_layer(trace, layer, position) if found is None else found

    def _found(self, trace: Trace, layer: str) -> Array | None:
        if not trace.network.multiplies_by_weight(layer) or layer not in trace.deltas:
            return None
        return self.sent_back(trace, layer, trace.deltas[layer], trace.parameters(layer)["weight"])
