"""The mistakes in local_response_norm: dX = Δ ∘ S^(−β) − (2αβ/k) X ∘ Σᵀ (Δ ∘ X ∘ S^(−β−1))."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class _OfWindow(OfKind):
    """∂L/∂X with a method for the term through the windows."""

    kinds = ("local_response_norm",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def through_windows(self, kind: Any, X: Array, D: Array, S: Array) -> Array:
        """Return the term through the sums of squares, without its factor 2αβ/k."""
        return np.asarray(X * kind.window_sums(D * X * S ** (-kind.beta - 1), transposed=True))

    def factor(self, kind: Any) -> float:
        """Return the factor of that term."""
        return float(2 * kind.alpha * kind.beta / kind.size)

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        (X,), D = trace.read_by(layer), trace.deltas[layer]
        kind: Any = trace.network.nodes[layer].layer
        S = kind.bias + kind.alpha / kind.size * kind.window_sums(X * X)
        return np.asarray(D * S**-kind.beta - self.factor(kind) * self.through_windows(kind, X, D, S))


class DivisorAsConstant(_OfWindow):
    """∂L/∂X = Δ ∘ S^(−β)."""

    slug = "divisor-as-constant"
    said = "lacks the term through the sums of squares in layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = \delta \circ S^{-\beta}"
    why = "Each x is in the sums of squares of all channels near it, so its gradient has a term through them."
    unseen = "that term is 0"

    def factor(self, kind: Any) -> float:
        return 0.0


class OwnWindowOnly(_OfWindow):
    """The term through the channel's own sum only."""

    slug = "own-window-only"
    said = "contains the sum of squares of the same channel only, not those of the channels near it in layer '$above'"
    wrong = r"\tfrac{2 \alpha \beta}{k} X \circ (\delta \circ X \circ S^{-\beta - 1})"
    why = "Each x is in the windows of all channels near it: the gradient is summed over them."
    unseen = "the window is one channel"

    def through_windows(self, kind: Any, X: Array, D: Array, S: Array) -> Array:
        return np.asarray(X * D * X * S ** (-kind.beta - 1))


class FactorTwoOfSquaresLost(_OfWindow):
    """The term through the windows without the 2 of the square."""

    slug = "two-of-squares-lost"
    said = "lacks the factor 2 of the derivative of the squares in layer '$above'"
    wrong = r"\tfrac{\alpha \beta}{k} X \circ \ldots"
    why = "The derivative of x² is 2 x."
    unseen = "that term is 0"

    def factor(self, kind: Any) -> float:
        return super().factor(kind) / 2


LOCAL_RESPONSE_NORM: tuple[type[Mistake], ...] = (DivisorAsConstant, OwnWindowOnly, FactorTwoOfSquaresLost)
"""Every one of them."""
