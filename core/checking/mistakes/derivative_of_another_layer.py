"""derivative-of-another-layer: f' at the numbers of a neighbouring layer."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _AtAnotherLayer(Mistake):
    """f'(Z_m) ∘ ∂L/∂A_l with the numbers of another layer m, or another array, of the same shape."""

    slug = "derivative-of-another-layer"
    strikes: ClassVar[tuple[str, ...]] = ("deltas",)
    wrong = r"\delta_l = f'(Z_m) \circ \frac{\partial L}{\partial A_l}"
    unseen = "the same units are active in both layers"

    def array(self, trace: Trace, layer: str) -> Array | None:
        """Return the array at which f' is evaluated instead of Z."""
        raise NotImplementedError

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        node = trace.network.nodes[quantity.layer]
        if node.function.is_identity:
            return False
        other = self.array(trace, quantity.layer)
        return other is not None and other.shape == node.shape

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        function, other = trace.network.nodes[layer].function, self.array(trace, layer)
        if other is None or other.shape != dA.shape:
            return super().through_activation(trace, layer, dA)
        return through(function, other, activate(function, other), dA)


class DerivativeAtInput(_AtAnotherLayer):
    """f' at the input of the layer."""

    said = "evaluates f' at the layer's input instead of its preactivation z"
    why = (
        "The derivative f' of a layer (for relu, its mask) is evaluated at the layer's own preactivation z; here it "
        "was computed from the layer's input."
    )

    def array(self, trace: Trace, layer: str) -> Array | None:
        return trace.read_by(layer)[0]


class DerivativeOfLayerAbove(_AtAnotherLayer):
    """f' at the preactivation of the layer that reads this one."""

    said = "evaluates f' at the preactivation of the layer above"
    why = "The index of z is one too high: the delta of a layer is multiplied by the derivative at the layer's own z."

    def array(self, trace: Trace, layer: str) -> Array | None:
        readers = trace.network.readers[layer]
        return trace.preactivations[readers[0].layer] if readers else None


class DerivativeAtDelta(_AtAnotherLayer):
    """A mask of the positive gradients instead of the positive z."""

    said = "is masked by the sign of the gradient instead of the sign of z"
    why = "relu passes the gradient on where z > 0, whatever the sign of the gradient."

    def array(self, trace: Trace, layer: str) -> Array | None:
        rectifies = trace.network.nodes[layer].function.name in ("relu", "leaky_relu")
        return trace.preactivations[layer] if rectifies else None

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        function = trace.network.nodes[layer].function
        if self.array(trace, layer) is None:
            return super().through_activation(trace, layer, dA)
        return through(function, dA, activate(function, dA), dA)


ANOTHER_LAYER: tuple[type[Mistake], ...] = (
    DerivativeAtInput,
    DerivativeOfLayerAbove,
    DerivativeAtDelta,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
