"""The base class of mistakes in f'."""

from __future__ import annotations

from typing import ClassVar

from core.activations.base import Activation
from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


def function_of_layer(trace: Trace, layer: str) -> Activation | None:
    """f of an activation layer, which it applies to what it reads."""
    kind = trace.network.nodes[layer].layer
    return kind.function_of_input()


def functions_in(trace: Trace, quantity: Quantity) -> list[Activation]:
    """The functions that the rule of a delta differentiates: the layer's own, and those of activation layers that read it."""
    node = trace.network.nodes.get(quantity.layer)
    own = [] if node is None or node.function.is_identity else [node.function]
    reading = (function_of_layer(trace, reader.layer) for reader in trace.network.readers[quantity.layer])
    return own + [function for function in reading if function is not None]


class WrongDerivative(Mistake):
    """∂L/∂Z formed from ∂L/∂A by something else than f'(Z), wherever the rule differentiates a function."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        """Return the wrong value of f'(Z) ∘ dA."""
        raise NotImplementedError

    def concerns(self, function: Activation) -> bool:
        """Return True if the mistake is possible with that function."""
        return True

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return any(self.concerns(function) for function in functions_in(trace, quantity))

    def output_delta(self, trace: Trace) -> Array:
        last = trace.network.last
        if not self.concerns(trace.network.nodes[last].function):
            return super().output_delta(trace)
        return self.through_activation(trace, last, self.loss_gradient(trace))

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        function = trace.network.nodes[layer].function
        if function.is_identity or not self.concerns(function):
            return super().through_activation(trace, layer, dA)
        return self.differentiated(function, trace.preactivations[layer], trace.activations[layer], dA)

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        function = function_of_layer(trace, layer)
        if function is None or not self.concerns(function):
            return super().through_layer(trace, layer, position)
        (X,) = trace.read_by(layer)
        return self.differentiated(function, X, trace.preactivations[layer], trace.deltas[layer])
