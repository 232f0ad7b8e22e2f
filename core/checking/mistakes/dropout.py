"""The mistakes around a dropout layer."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class DropoutMaskForgotten(OfKind):
    """∂L/∂A = Δ: what was dropped receives a gradient."""

    slug = "dropout-mask-forgotten"
    kinds = ("dropout",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "preactivations")
    said = "passed back through the dropout layer without the mask"
    wrong = r"\frac{\partial L}{\partial A} = \delta"
    why = (
        "A number that was dropped has no influence on the loss, so its gradient is 0. The backward pass multiplies "
        "by the same mask as the forward pass."
    )
    unseen = "nothing was dropped"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return trace.deltas[layer]

    def forward(self, trace: Trace, layer: str) -> Array | None:
        return trace.read_by(layer)[0]


class _Mask(OfKind):
    """∂L/∂A = Δ ∘ M with another mask."""

    kinds = ("dropout",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "preactivations")

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return np.asarray(trace.deltas[layer] * self.factor(trace.saved(layer)["mask"]))

    def forward(self, trace: Trace, layer: str) -> Array | None:
        return np.asarray(trace.read_by(layer)[0] * self.factor(trace.saved(layer)["mask"]))

    def factor(self, mask: Array) -> Array:
        """Return the wrong factor from the right one, 0 or 1/(1 − p)."""
        raise NotImplementedError


class DropoutScaleForgotten(_Mask):
    """The mask as zeros and ones, without 1/(1 − p)."""

    slug = "dropout-scale-forgotten"
    said = "passed back through the dropout layer without the scale 1/(1 − p)"
    wrong = r"\frac{\partial L}{\partial A} = \delta \circ [M > 0]"
    why = (
        "This is inverted dropout: the numbers that are kept are scaled by 1/(1 − p) in the forward pass, so their "
        "gradients are scaled too."
    )
    unseen = "p is 0"

    def factor(self, mask: Array) -> Array:
        return (mask > 0).astype(mask.dtype)


class DropoutScaleAlone(_Mask):
    """1/(1 − p) everywhere, without the mask."""

    slug = "dropout-scale-alone"
    said = "is scaled by 1/(1 − p) at the dropout layer, but not masked"
    wrong = r"\frac{\partial L}{\partial A} = \frac{\delta}{1 - p}"
    why = "A number that was dropped has no influence on the loss, so its gradient is 0: the mask holds both 0 and the scale."
    unseen = "nothing was dropped"

    def factor(self, mask: Array) -> Array:
        return np.full_like(mask, mask.max(initial=0.0))


class DropoutMaskTwice(_Mask):
    """M ∘ M instead of M."""

    slug = "dropout-mask-applied-twice"
    said = "is multiplied twice by the mask of the dropout layer, which scales it by 1/(1 − p)²"
    wrong = r"\frac{\partial L}{\partial A} = \delta \circ M \circ M"
    why = "The forward pass multiplies by the mask once, so the backward pass does too."
    unseen = "p is 0"

    def factor(self, mask: Array) -> Array:
        return mask * mask


class DropoutMaskInverted(_Mask):
    """0 where numbers are kept, 1/(1 − p) where they are dropped."""

    slug = "dropout-mask-inverted"
    said = "is masked the wrong way round at the dropout layer: what was kept is 0 and what was dropped is not"
    wrong = r"\frac{\partial L}{\partial A} = \delta \circ \left( \tfrac{1}{1 - p} - M \right)"
    why = "The mask is 1/(1 − p) where a number is kept and 0 where it is dropped."
    unseen = "the layer's deltas are 0"

    def factor(self, mask: Array) -> Array:
        return np.asarray(mask.max(initial=0.0) - mask)


class DropoutScaleInverted(_Mask):
    """1 − p instead of 1/(1 − p)."""

    slug = "dropout-scale-inverted"
    said = "is multiplied by 1 − p at the dropout layer, where it is divided"
    wrong = r"\frac{\partial L}{\partial A} = \delta \circ [M > 0] (1 - p)"
    why = "This is inverted dropout: the numbers that are kept are divided by 1 − p, in both passes."
    unseen = "p is 0"

    def factor(self, mask: Array) -> Array:
        return np.divide(1, mask, out=np.zeros_like(mask), where=mask > 0)


class DropoutMaskOfFirstExample(_Mask):
    """The mask of the first example for all."""

    slug = "dropout-mask-of-first-example"
    said = "is masked at the dropout layer with the mask of the first example in every example"
    wrong = r"\frac{\partial L}{\partial A_n} = \delta_n \circ M_1"
    why = "The mask is drawn for every element, so each example has its own."
    unseen = "every example has the same mask"

    def factor(self, mask: Array) -> Array:
        return np.broadcast_to(mask[:1], mask.shape)


DROPOUT: tuple[type[Mistake], ...] = (
    DropoutMaskForgotten,
    DropoutScaleForgotten,
    DropoutScaleAlone,
    DropoutMaskTwice,
    DropoutMaskInverted,
    DropoutScaleInverted,
    DropoutMaskOfFirstExample,
)
"""All of them."""
