"""subtraction-sign-lost, own-factor-in-product, parts-swapped: the rules of subtract, multiply and concatenate."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.layers.multiply import Multiply
from core.layers.subtract import Subtract


class SubtractionSignLost(OfKind):
    """∂L/∂b = +Δ for a − b."""

    slug = "subtraction-sign-lost"
    kinds = ("subtract",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "lacks the minus sign of the subtraction in layer '$above'"
    wrong = r"\frac{\partial L}{\partial b} = +\delta \quad \text{for } z = a - b"
    why = "The operand that is subtracted receives the negative of the delta."

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return -trace.backward(layer).inputs[position] if position == 1 else None


class OwnFactorInProduct(OfKind):
    """∂L/∂a = Δ ∘ a for a ∘ b."""

    slug = "own-factor-in-product"
    kinds = ("multiply",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "is multiplied by the layer's own factor of the product in layer '$above' instead of the other factors"
    wrong = r"\frac{\partial L}{\partial a} = \delta \circ a \quad \text{for } z = a \circ b"
    why = "By the product rule, each factor receives the delta times the other factors."
    unseen = "the factors are equal"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        own, delta = trace.read_by(layer)[position], trace.deltas[layer]
        return delta * own if own.shape == delta.shape else None


class PartsSwapped(OfKind):
    """The parts of ∂L/∂Z of a concatenation in the reverse order."""

    slug = "concatenated-parts-swapped"
    kinds = ("concatenate",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "is another part of the gradient of the concatenation in layer '$above'"
    wrong = r"\frac{\partial L}{\partial A_1} = \text{the part of } \delta \text{ that belongs to } A_2"
    why = (
        "Each operand of a concatenation receives the part of the delta at its own place, in the order of the operands."
    )
    unseen = "the parts of the delta are equal"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        parts, delta = trace.read_by(layer), trace.deltas[layer]
        axis = next(
            (axis for axis, length in enumerate(delta.shape) if any(part.shape[axis] != length for part in parts)), None
        )
        if axis is None or len(parts) < 2:
            return None
        ends = np.cumsum([part.shape[axis] for part in reversed(parts)])[:-1]
        return np.split(delta, ends, axis)[len(parts) - 1 - position]


class BroadcastNotSummed(OfKind):
    """The first row of δ, where an operand was repeated along an axis: the sum over the copies is missing."""

    slug = "broadcast-not-summed"
    kinds = ("add", "subtract", "multiply")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "is not summed over the axis along which it was repeated in layer '$above'"
    wrong = r"\frac{\partial L}{\partial b} = \delta \quad \text{instead of its sum over the copies of } b"
    why = (
        "An operand that is broadcast counts once for every copy, so its gradient is the sum over the copies, with the "
        "shape of the operand."
    )
    unseen = "nothing is broadcast"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        own, delta = trace.read_by(layer)[position], trace.deltas[layer]
        if own.shape == delta.shape or isinstance(trace.network.nodes[layer].layer, Multiply):
            return None
        return -delta if isinstance(trace.network.nodes[layer].layer, Subtract) and position == 1 else delta


class BroadcastAveraged(BroadcastNotSummed):
    """The mean over the copies."""

    slug = "broadcast-averaged"
    said = "is averaged instead of summed over the axis along which it was repeated in layer '$above'"
    wrong = r"\frac{\partial L}{\partial b} = \text{the mean of } \delta \text{ over the copies of } b"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        own, delta = trace.read_by(layer)[position], trace.deltas[layer]
        return None if own.size >= delta.size else trace.backward(layer).inputs[position] * own.size / delta.size


ARITHMETIC: tuple[type[Mistake], ...] = (
    OwnFactorInProduct,
    PartsSwapped,
    BroadcastNotSummed,
    BroadcastAveraged,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
