"""The mistakes in pad and upsample, on the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.layers.shared.windows import paddings_along


class _Resampled(OfKind):
    """∂L/∂X of a layer that copies numbers, wrong."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def kind_of(self, trace: Trace, layer: str) -> Any:
        return trace.network.nodes[layer].layer

    def sides(self, trace: Trace, layer: str) -> list[tuple[int, int]]:
        """The padding before and behind each axis."""
        kind = self.kind_of(trace, layer)
        return paddings_along("pad", kind.padding, trace.read_by(layer)[0].ndim - 2)


class BorderDeltasLost(_Resampled):
    """Δ cut to the image, where the border holds copies of its numbers."""

    slug = "border-deltas-lost"
    kinds = ("pad",)
    said = "lacks the deltas of the border that layer '$above' copied from inside the image"
    wrong = r"\frac{\partial L}{\partial X} = \text{the inside of } \delta"
    why = (
        "With reflect and edge the border is made of numbers of the image, which are used several times: each receives the "
        "sum of the deltas of all its copies. Only with constant is cutting the border off enough."
    )
    unseen = "nothing is added, or only a constant"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        kind = self.kind_of(trace, layer)
        if kind.mode == "constant":
            return None
        rules = trace.network.variant(layer, kind=replace(kind, mode="constant"))
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class CutAtFront(_Resampled):
    """Δ cut from its first number on."""

    slug = "padding-cut-behind-only"
    kinds = ("pad",)
    said = "is cut from the first number of the padded delta on, without leaving out what layer '$above' added before"
    wrong = r"\frac{\partial L}{\partial x_i} = \delta_i \quad \text{instead of} \quad \delta_{p + i}"
    why = "Number i of the image is number p + i of the padded one, where p is the padding before it."
    unseen = "nothing is added before the first number"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        if not any(before for before, _ in self.sides(trace, layer)):
            return None
        inside = tuple(slice(0, length) for length in trace.read_by(layer)[position].shape)
        return np.asarray(trace.deltas[layer][inside])


class SidesExchanged(_Resampled):
    """Δ cut by the padding behind, where that before belongs."""

    slug = "padding-sides-exchanged"
    kinds = ("pad",)
    said = "is cut as if the padding before and the padding behind in layer '$above' were exchanged"
    wrong = r"\delta_{p_{\text{behind}} + i} \quad \text{instead of} \quad \delta_{p_{\text{before}} + i}"
    why = "Number i of the image is number p + i of the padded one, where p is the padding before it, not behind it."
    unseen = "both sides have the same padding"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        sides = self.sides(trace, layer)
        if all(before == after for before, after in sides):
            return None
        other = [after for _, after in sides] + [before for before, _ in sides]
        rules = trace.network.variant(layer, kind=replace(self.kind_of(trace, layer), padding=other))
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class MeanOverCopies(_Resampled):
    """The mean of the deltas of a number's copies where their sum belongs."""

    slug = "mean-over-copies"
    kinds = ("upsample",)
    said = "is the mean of the deltas over the copies of each number in layer '$above' instead of their sum"
    wrong = r"\frac{\partial L}{\partial x} = \tfrac{1}{k} \sum_{\text{copies}} \delta"
    why = "A number that is used k times receives the sum of the deltas of all its uses."
    unseen = "no number is used twice"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        rules, (X,) = trace.network.layer_rules[layer], trace.read_by(layer)
        uses = rules.backward([X], np.ones_like(trace.deltas[layer])).inputs[0]
        if np.allclose(uses, 1):
            return None
        found = trace.backward(layer).inputs[position]
        return np.divide(found, uses, out=np.zeros_like(found), where=uses != 0)


class FirstCopyOnly(_Resampled):
    """Of several copies of a number only the delta of the first."""

    slug = "first-copy-only"
    kinds = ("upsample",)
    said = "takes the delta of only one of the copies of each number in layer '$above'"
    wrong = r"\texttt{dX = D[:, :, ::2, ::2]}"
    why = "Every copy of a number contributes: its gradient is the sum of the deltas of all copies."
    unseen = "no number is used twice"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        kind, X, found = self.kind_of(trace, layer), trace.read_by(layer)[position], trace.deltas[layer]
        if kind.mode == "linear":
            return None
        maps = kind.maps(X.shape)
        if any(one.after % one.before for one in maps) or all(one.after == one.before for one in maps):
            return None
        for axis, one in enumerate(maps, 2):
            found = found.take(np.arange(one.before) * (one.after // one.before), axis=axis)
        return np.asarray(found)


class AsNearest(_Resampled):
    """The transposed map of nearest where that of linear belongs."""

    slug = "linear-as-nearest"
    kinds = ("upsample",)
    said = "is that of nearest numbers, where layer '$above' interpolates"
    wrong = r"\frac{\partial L}{\partial X} = R_{\text{nearest}}^\top \, \delta \, S_{\text{nearest}}"
    why = "A result between two numbers sends each of them its delta times the weight that the number had in it."
    unseen = "every result lies on a number"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        kind = self.kind_of(trace, layer)
        if kind.mode != "linear":
            return None
        rules = trace.network.variant(layer, kind=replace(kind, mode="nearest", align_corners=False))
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class OtherCorners(_Resampled):
    """The transposed map with the corners aligned where they are not, or the reverse."""

    slug = "corners-aligned-otherwise"
    kinds = ("upsample",)
    said = "is that of the other choice of align_corners in layer '$above'"
    wrong = (
        r"x = r \tfrac{h - 1}{H - 1} \quad \text{and} \quad x = (r + \tfrac12) \tfrac{h}{H} - \tfrac12 \quad "
        r"\text{exchanged}"
    )
    why = "The weights on the way back are those of the way there, so both have to place the results alike."
    unseen = "both choices place the results alike"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        kind = self.kind_of(trace, layer)
        if kind.mode != "linear":
            return None
        rules = trace.network.variant(layer, kind=replace(kind, align_corners=not kind.align_corners))
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


RESAMPLING: tuple[type[Mistake], ...] = (
    BorderDeltasLost,
    CutAtFront,
    SidesExchanged,
    MeanOverCopies,
    FirstCopyOnly,
    AsNearest,
    OtherCorners,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
