"""The mistakes in prelu: Z = X where X > 0, s ∘ X elsewhere."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.layers.shared.along import Along


class _OfPrelu(OfKind):
    """A mistake in a gradient of prelu."""

    kinds = ("prelu",)

    def place(self, trace: Trace, layer: str) -> Along:
        """The place of the slope in the input."""
        kind: Any = trace.network.nodes[layer].layer
        place: Along = kind.along(trace.read_by(layer)[0].shape)
        return place


class SlopeOfRelu(_OfPrelu):
    """∂L/∂X = Δ ∘ [X > 0]."""

    slug = "slope-left-out"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "is 0 where layer '$above' reads negative numbers, as for relu"
    wrong = r"\frac{\partial L}{\partial X} = \delta \circ [X > 0]"
    why = "Negative numbers are multiplied by the slope s, so their gradient is s δ, not 0."
    unseen = "no number is negative"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        (X,) = trace.read_by(layer)
        return np.asarray(trace.deltas[layer] * (X > 0))


class SlopeForAll(_OfPrelu):
    """∂L/∂X = s ∘ Δ."""

    slug = "slope-for-positive-numbers"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "is multiplied by the slope of layer '$above' where that layer reads positive numbers too"
    wrong = r"\frac{\partial L}{\partial X} = s \circ \delta"
    why = "Positive numbers pass unchanged, so their gradient is δ; only negative ones are multiplied by s."
    unseen = "no number is positive"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return np.asarray(
            trace.deltas[layer] * self.place(trace, layer).spread(trace.parameters(layer)["negative_slope"])
        )


class _SlopeGradient(_OfPrelu):
    """ds = Σ of other terms."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)

    def terms(self, X: Array, D: Array) -> Array:
        """Return the terms of the sum."""
        raise NotImplementedError

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        (X,) = trace.read_by(layer)
        return self.place(trace, layer).sums(self.terms(X, trace.deltas[layer]))


class SlopeGradientOfAll(_SlopeGradient):
    """ds = Σ Δ ∘ X."""

    slug = "slope-gradient-of-all-numbers"
    said = "contains positive numbers too, which the slope does not multiply"
    wrong = r"\frac{\partial L}{\partial s} = \sum \delta \circ X"
    why = "The slope multiplies negative numbers only: ∂z/∂s = min(x, 0)."
    unseen = "no number is positive"

    def terms(self, X: Array, D: Array) -> Array:
        return np.asarray(D * X)


class SlopeGradientWithoutInput(_SlopeGradient):
    """ds = Σ Δ ∘ [X ≤ 0]."""

    slug = "slope-gradient-without-input"
    said = "lacks the factor x, which the slope multiplies"
    wrong = r"\frac{\partial L}{\partial s} = \sum \delta \circ [X \le 0]"
    why = "z = s x for negative x, so ∂z/∂s = x, not 1."
    unseen = "every negative number is 1 away from 0"

    def terms(self, X: Array, D: Array) -> Array:
        return np.asarray(D * (X <= 0))


PRELU: tuple[type[Mistake], ...] = (SlopeOfRelu, SlopeForAll, SlopeGradientOfAll, SlopeGradientWithoutInput)
"""Every one of them."""
