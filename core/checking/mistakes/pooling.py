"""The mistakes in means and maxima over windows and axes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.layers.average_pool2d import AveragePool2D


def window_size(size: Any) -> int:
    """Return the count of numbers in a window."""
    return size * size if isinstance(size, int) else math.prod(size)


class MeanWithoutItsShare(OfKind):
    """∂L/∂X of a mean as if it were a sum."""

    slug = "mean-without-its-share"
    kinds = ("average_pool2d", "global_average_pool", "reduce_mean")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "preactivations")
    said = "lacks the factor 1/k of the mean over k numbers in layer '$above'"
    wrong = r"\frac{\partial L}{\partial x} = \delta \quad \text{instead of} \quad \tfrac{1}{k} \delta"
    why = "The derivative of a mean of k numbers by each of them is 1/k, so each receives 1/k of the delta."
    unseen = "k is 1"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return trace.backward(layer).inputs[position] * self._count(trace, layer)

    def forward(self, trace: Trace, layer: str) -> Array | None:
        return trace.network.layer_rules[layer].result(trace.read_by(layer)) * self._count(trace, layer)

    def _count(self, trace: Trace, layer: str) -> float:
        kind: Any = trace.network.nodes[layer].layer
        if isinstance(kind, AveragePool2D):
            return float(window_size(kind.size))
        return trace.read_by(layer)[0].size / math.prod(trace.network.shapes[layer])


class MaximumToWholeWindow(OfKind):
    """∂L/∂X of a maximum spread over its window."""

    slug = "maximum-to-whole-window"
    kinds = ("max_pool2d",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "went to every number of the window in layer '$above', not only to the largest"
    wrong = r"\frac{\partial L}{\partial x} = \delta \text{ for every } x \text{ of the window}"
    why = "The result of a window is its largest number, so only that number receives the delta; the others receive 0."
    unseen = "each window has a single number"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        kind: Any = trace.network.nodes[layer].layer
        mean = AveragePool2D(size=kind.size, stride=kind.stride, padding=kind.padding)
        rules = trace.network.variant(layer, kind=mean)
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position] * window_size(kind.size)


class MeanToWholeWindow(MaximumToWholeWindow):
    """∂L/∂X of a maximum divided among its window, as for a mean."""

    slug = "maximum-as-mean"
    said = "was divided among the numbers of the window in layer '$above', as for a mean"
    wrong = r"\frac{\partial L}{\partial x} = \tfrac{1}{k} \delta"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        found = super().sent_back(trace, layer, position)
        kind: Any = trace.network.nodes[layer].layer
        return None if found is None else found / window_size(kind.size)


POOLING: tuple[type[Mistake], ...] = (
    MeanWithoutItsShare,
    MaximumToWholeWindow,
    MeanToWholeWindow,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
