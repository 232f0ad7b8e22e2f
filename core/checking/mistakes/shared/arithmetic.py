"""subtraction-sign-lost, own-factor-in-product: the rules of subtract and multiply."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _ThroughKind(Mistake):
    """The rule of one kind of layer, wrong."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    kind: ClassVar[str]

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        nodes = trace.network.nodes
        return any(nodes[reader.layer].layer.kind == self.kind for reader in trace.network.readers[quantity.layer])


class SubtractionSignLost(_ThroughKind):
    """∂L/∂b = +Δ for a − b."""

    slug = "subtraction-sign-lost"
    kind = "subtract"
    said = "lacks the minus sign of the subtraction in layer '$above'"
    wrong = r"\frac{\partial L}{\partial b} = +\delta \quad \text{for } z = a - b"
    why = "The operand that is subtracted receives the negative of the delta."

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        found = super().through_layer(trace, layer, position)
        return -found if trace.network.nodes[layer].layer.kind == self.kind and position == 1 else found


class OwnFactorInProduct(_ThroughKind):
    """∂L/∂a = Δ ∘ a for a ∘ b."""

    slug = "own-factor-in-product"
    kind = "multiply"
    said = "is multiplied by the layer's own factor of the product in layer '$above' instead of the other factors"
    wrong = r"\frac{\partial L}{\partial a} = \delta \circ a \quad \text{for } z = a \circ b"
    why = "By the product rule, each factor receives the delta times the other factors."
    unseen = "the factors are equal"

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        if trace.network.nodes[layer].layer.kind != self.kind:
            return super().through_layer(trace, layer, position)
        own, delta = trace.read_by(layer)[position], trace.deltas[layer]
        return delta * own if own.shape == delta.shape else super().through_layer(trace, layer, position)
