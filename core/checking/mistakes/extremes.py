"""The mistakes in reduce_max and reduce_min: the gradient goes to other numbers than the largest or smallest."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class ExtremeAsSum(OfKind):
    """∂L/∂X as if Z were a sum."""

    slug = "extreme-to-all-numbers"
    kinds = ("reduce_max", "reduce_min")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "went to every number that layer '$above' reduces, not only to the one that is its result"
    wrong = r"\frac{\partial L}{\partial x} = \delta \text{ for every } x"
    why = "The result is one of the numbers, so only that number receives the delta; the others receive 0."
    unseen = "every result is that of a single number"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        (X,) = trace.read_by(layer)
        kind: Any = trace.network.nodes[layer].layer
        kept = kind.kept(X.shape, trace.network.convention == "column")
        return self.spread(trace.deltas[layer].reshape(kept), X)

    def spread(self, D: Array, X: Array) -> Array:
        """Return the deltas as they arrive at the numbers."""
        return np.asarray(D * np.ones_like(X))


class ExtremeAsMean(ExtremeAsSum):
    """∂L/∂X as if Z were a mean."""

    slug = "extreme-as-mean"
    said = "was divided among the numbers that layer '$above' reduces, as for a mean"
    wrong = r"\frac{\partial L}{\partial x} = \tfrac{1}{k} \delta"

    def spread(self, D: Array, X: Array) -> Array:
        return np.asarray(super().spread(D, X) * (D.size / X.size))


EXTREMES: tuple[type[Mistake], ...] = (ExtremeAsSum, ExtremeAsMean)
"""Every one of them."""
