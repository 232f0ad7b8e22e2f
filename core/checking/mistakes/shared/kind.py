"""What the mistakes in the rules of one kind of layer share."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class OfKind(Mistake):
    """A rule of certain kinds of layers, wrong. Each method is asked only at such a layer; None leaves the rule right."""

    kinds: ClassVar[tuple[str, ...]]

    def sent_back(self, scene: Trace, layer: str, position: int) -> Array | None:
        """What the layer sends back to what it reads."""
        return None

    def parameter_gradient(self, scene: Trace, layer: str, parameter: str) -> Array | None:
        """The gradient of a parameter."""
        return None

    def forward(self, scene: Trace, layer: str) -> Array | None:
        """The layer's result."""
        return None

    def is_kind(self, scene: Trace, layer: str) -> bool:
        """Whether a layer is of these kinds."""
        return layer in scene.network.nodes and scene.network.nodes[layer].layer.kind in self.kinds

    def applies(self, scene: Trace, quantity: Quantity) -> bool:
        if quantity.part in ("deltas", "input_gradient"):
            readers = scene.network.readers[quantity.layer]
            return any(self._back(scene, reader.layer, reader.position) is not None for reader in readers)
        if not self.is_kind(scene, quantity.layer):
            return False
        if quantity.part == "gradients":
            return self.parameter_gradient(scene, quantity.layer, quantity.name) is not None
        return self.forward(scene, quantity.layer) is not None

    def through_layer(self, scene: Trace, layer: str, position: int) -> Array:
        found = self._back(scene, layer, position)
        return super().through_layer(scene, layer, position) if found is None else found

    def data_gradient(self, scene: Trace, layer: str, parameter: str) -> Array:
        found = self.parameter_gradient(scene, layer, parameter) if self.is_kind(scene, layer) else None
        return super().data_gradient(scene, layer, parameter) if found is None else found

    def preactivation(self, scene: Trace, layer: str) -> Array:
        found = self.forward(scene, layer) if self.is_kind(scene, layer) else None
        return super().preactivation(scene, layer) if found is None else found

    def _back(self, scene: Trace, layer: str, position: int) -> Array | None:
        if not self.is_kind(scene, layer) or layer not in scene.deltas:
            return None
        return self.sent_back(scene, layer, position)
