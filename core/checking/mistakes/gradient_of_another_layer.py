"""gradient-of-another-layer: the gradients of two layers are swapped."""

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
    why = "The numbers are right, but they belong to another layer of the same size: two gradients were swapped."

    def other(self, trace: Trace, layer: str, parameter: str) -> str | None:
        """The other layer."""
        raise NotImplementedError

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return self.other(trace, quantity.layer, quantity.name) is not None

    def gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        other = self.other(trace, layer, parameter)
        if other is None:
            return super().gradient(trace, layer, parameter)
        positions = {node.name: node.position for node in trace.network.problem.nodes}
        for node in reversed(trace.network.problem.nodes):  # Continue down to the other layer by the right rules.
            if node.name not in trace.deltas and node.position >= positions[other]:
                trace = trace.with_delta(node.name, RIGHT.delta(trace, node.name))
        return super().gradient(trace, other, parameter)


def _alike(trace: Trace, layer: str, parameter: str) -> list[str]:
    """The layers with a parameter of that name and shape, in execution order."""
    shape = trace.parameters(layer)[parameter].shape
    return [
        node.name
        for node in trace.network.problem.nodes
        if parameter in node.parameters and node.parameters[parameter].shape == shape
    ]


class GradientOfLayerAbove(_AnotherLayer):
    """That of the next layer of the same size."""

    said = "is that of another layer further up"

    def other(self, trace: Trace, layer: str, parameter: str) -> str | None:
        alike = _alike(trace, layer, parameter)
        after = alike.index(layer) + 1
        return alike[after] if after < len(alike) else None


class GradientOfLayerBelow(_AnotherLayer):
    """That of the layer of the same size before."""

    said = "is that of another layer further down"

    def other(self, trace: Trace, layer: str, parameter: str) -> str | None:
        alike = _alike(trace, layer, parameter)
        before = alike.index(layer) - 1
        return alike[before] if before >= 0 else None
