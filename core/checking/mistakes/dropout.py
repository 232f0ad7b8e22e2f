"""The mistakes around a dropout layer."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
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


class DropoutScaleForgotten(OfKind):
    """The mask as zeros and ones, without 1/(1 − p)."""

    slug = "dropout-scale-forgotten"
    kinds = ("dropout",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "preactivations")
    said = "passed back through the dropout layer without the scale 1/(1 − p)"
    wrong = r"\frac{\partial L}{\partial A} = \delta \circ [M > 0]"
    why = (
        "This is inverted dropout: the numbers that are kept are scaled by 1/(1 − p) in the forward pass, so their "
        "gradients are scaled too."
    )
    unseen = "p is 0"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return trace.deltas[layer] * (self._mask(trace, layer) > 0)

    def forward(self, trace: Trace, layer: str) -> Array | None:
        return trace.read_by(layer)[0] * (self._mask(trace, layer) > 0)

    def _mask(self, trace: Trace, layer: str) -> Array:
        return trace.network.layer_rules[layer].saved(trace.read_by(layer))["mask"]
