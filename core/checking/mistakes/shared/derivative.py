"""What the mistakes in f' share."""

from __future__ import annotations

from typing import ClassVar

from core.activations.base import Activation
from core.activations.identity import Identity
from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.layers.activation import ActivationLayer


def function_of_layer(scene: Trace, layer: str) -> Activation | None:
    """f of an activation layer, which it applies to what it reads."""
    kind = scene.network.nodes[layer].layer
    return kind.applied() if isinstance(kind, ActivationLayer) else None


def functions_in(scene: Trace, quantity: Quantity) -> list[Activation]:
    """The functions that the rule of a delta differentiates: the layer's own, and those of activation layers that read it."""
    node = scene.network.nodes.get(quantity.layer)
    own = [] if node is None or isinstance(node.function, Identity) else [node.function]
    reading = (function_of_layer(scene, reader.layer) for reader in scene.network.readers[quantity.layer])
    return own + [function for function in reading if function is not None]


class WrongDerivative(Mistake):
    """∂L/∂Z formed from ∂L/∂A by something else than f'(Z), wherever the rule differentiates a function."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        """What is taken for f'(Z) ∘ dA."""
        raise NotImplementedError

    def concerns(self, function: Activation) -> bool:
        """Whether the mistake can be made with that function."""
        return True

    def applies(self, scene: Trace, quantity: Quantity) -> bool:
        return any(self.concerns(function) for function in functions_in(scene, quantity))

    def output_delta(self, scene: Trace) -> Array:
        last = scene.network.last
        if not self.concerns(scene.network.nodes[last].function):
            return super().output_delta(scene)
        return self.through_activation(scene, last, self.loss_gradient(scene))

    def through_activation(self, scene: Trace, layer: str, dA: Array) -> Array:
        function = scene.network.nodes[layer].function
        if isinstance(function, Identity) or not self.concerns(function):
            return super().through_activation(scene, layer, dA)
        return self.differentiated(function, scene.preactivations[layer], scene.activations[layer], dA)

    def through_layer(self, scene: Trace, layer: str, position: int) -> Array:
        function = function_of_layer(scene, layer)
        if function is None or not self.concerns(function):
            return super().through_layer(scene, layer, position)
        (X,) = scene.read_by(layer)
        return self.differentiated(function, X, scene.preactivations[layer], scene.deltas[layer])
