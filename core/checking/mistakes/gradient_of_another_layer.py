"""gradient-of-another-layer: gradients that changed places."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.formulas import RIGHT
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _AnotherLayer(Mistake):
    """The gradient of a parameter of the same name and shape in a neighbouring layer."""

    slug = "gradient-of-another-layer"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    wrong = r"\frac{\partial L}{\partial W_l} = \text{the gradient of another layer}"
    why = "The numbers are right, but they belong to another layer of the same size: two gradients changed places."

    def other(self, scene: Trace, layer: str, parameter: str) -> str | None:
        """The other layer."""
        raise NotImplementedError

    def applies(self, scene: Trace, quantity: Quantity) -> bool:
        return self.other(scene, quantity.layer, quantity.name) is not None

    def gradient(self, scene: Trace, layer: str, parameter: str) -> Array:
        other = self.other(scene, layer, parameter)
        if other is None:
            return super().gradient(scene, layer, parameter)
        positions = {node.name: node.position for node in scene.network.problem.nodes}
        for node in reversed(scene.network.problem.nodes):  # Down to the other layer, by the right rules.
            if node.name not in scene.deltas and node.position >= positions[other]:
                scene = scene.with_delta(node.name, RIGHT.delta(scene, node.name))
        return super().gradient(scene, other, parameter)


def _alike(scene: Trace, layer: str, parameter: str) -> list[str]:
    """The layers with a parameter of that name and shape, in execution order."""
    shape = scene.parameters(layer)[parameter].shape
    return [
        node.name
        for node in scene.network.problem.nodes
        if parameter in node.parameters and node.parameters[parameter].shape == shape
    ]


class GradientOfLayerAbove(_AnotherLayer):
    """That of the next layer of the same size."""

    said = "is that of another layer further up"

    def other(self, scene: Trace, layer: str, parameter: str) -> str | None:
        alike = _alike(scene, layer, parameter)
        after = alike.index(layer) + 1
        return alike[after] if after < len(alike) else None


class GradientOfLayerBelow(_AnotherLayer):
    """That of the layer of the same size before."""

    said = "is that of another layer further down"

    def other(self, scene: Trace, layer: str, parameter: str) -> str | None:
        alike = _alike(scene, layer, parameter)
        before = alike.index(layer) - 1
        return alike[before] if before >= 0 else None
