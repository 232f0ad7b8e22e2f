"""The base class of mistakes in the rules of certain kinds of layers."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.layer_rules import Backward
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class OfKind(Mistake):
    """A rule of certain kinds of layers, wrong. Each method is asked only at such a layer; None leaves the rule right."""

    kinds: ClassVar[tuple[str, ...]]

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        """Return the wrong gradient that the layer sends back to its input."""
        return None

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        """The gradient of a parameter."""
        return None

    def forward(self, trace: Trace, layer: str) -> Array | None:
        """The layer's result."""
        return None

    def is_kind(self, trace: Trace, layer: str) -> bool:
        """Return True if a layer is of these kinds."""
        return layer in trace.network.nodes and trace.network.nodes[layer].layer.kind in self.kinds

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        if quantity.part in ("deltas", "input_gradient"):
            readers = trace.network.readers[quantity.layer]
            return any(self._back(trace, reader.layer, reader.position) is not None for reader in readers)
        if not self.is_kind(trace, quantity.layer):
            return False
        if quantity.part == "gradients":
            return self.parameter_gradient(trace, quantity.layer, quantity.name) is not None
        return self.forward(trace, quantity.layer) is not None

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        found = self._back(trace, layer, position)
        return super().through_layer(trace, layer, position) if found is None else found

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        found = self.parameter_gradient(trace, layer, parameter) if self.is_kind(trace, layer) else None
        return super().data_gradient(trace, layer, parameter) if found is None else found

    def preactivation(self, trace: Trace, layer: str) -> Array:
        found = self.forward(trace, layer) if self.is_kind(trace, layer) else None
        return super().preactivation(trace, layer) if found is None else found

    def _back(self, trace: Trace, layer: str, position: int) -> Array | None:
        if not self.is_kind(trace, layer) or layer not in trace.deltas:
            return None
        return self.sent_back(trace, layer, position)


class InsideLayer(OfKind):
    """A mistake in the backward pass inside a layer, which several of its gradients show at once.

    The wrong backward pass is computed as a whole, and is one accusation. To allow two mistakes in one layer, a base class
    writes out the right backward pass with a method for every term, and a mistake overrides one of these methods.
    """

    strikes: ClassVar[tuple[str, ...]] = ("gradients", "deltas", "input_gradient")
    block: ClassVar[str] = ""
    """The part of the layer that is wrong, in words: "forget gate", "keys"; "" for all of it."""

    def backward(self, trace: Trace, layer: str) -> Backward | None:
        """Return the wrong gradients of what the layer reads and of its parameters; None where it is not possible."""
        raise NotImplementedError

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        found = self.backward(trace, layer)
        return None if found is None else found.inputs[position]

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found = self.backward(trace, layer)
        return None if found is None else found.parameters.get(parameter)
