"""upsample: images and sequences at another resolution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from core.arrays import Shape
from core.errors import Refusal
from core.layers.base import misfit
from core.layers.shared.axis_maps import AxisMaps
from core.layers.shared.resampling import Resampling, as_fraction
from core.layers.shared.strides import AxisMap
from core.layers.shared.windows import Sizes, each_axis
from core.spec import Number, constraints

LARGEST_PLACES = 4096
"""Largest number of places between the numbers of the input at which results may lie: each takes operations of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsample(AxisMaps):
    """Resampling: every channel of an image or a sequence at another resolution.

        Forward    Z  = R X Sᵀ       R, S: the weights of the numbers of X in those of Z, a matrix for each axis
        Backward   dX = Rᵀ dZ S

    With `nearest`, result r is the number ⌊r / scale⌋; with `nearest_exact`, the number ⌊(r + ½) / scale⌋, the nearest to its
    centre; with `linear`, the mean of the two numbers beside its centre, weighted by their distances (bilinear for images).
    Centres are at half numbers: result r lies at (r + ½) / scale − ½, moved into the image. With `align_corners`, the centres
    of the outermost numbers coincide instead: result r lies at r (length − 1) / (result length − 1).

    A scale is taken at its word, as ONNX does; torch ignores one with which the result is as long as the input, and for
    nearest numbers one with which it is twice as long.

    Source: torch.nn.functional.interpolate, whose modes have these names; Odena, Dumoulin & Olah, Deconvolution and
    Checkerboard Artifacts (2016), for its use before a convolution.
    """

    kind: Literal["upsample"] = "upsample"

    scale: Number | list[Number] | None = field(default=None, metadata=constraints(strict=False, examples=[2]))
    """Length of the result divided by that of the input, rounded down: one number for all axes, or a list with one for each.
    Either this or `size`."""

    size: Sizes | None = field(default=None, metadata=constraints(strict=False))
    """Length of the result: one number for all axes, or a list with one for each. Either this or `scale`."""

    mode: Literal["nearest", "nearest_exact", "linear"] = field(default="nearest", metadata=constraints(strict=False))
    """Which numbers of the input make a number of the result."""

    align_corners: bool = field(default=False, metadata=constraints())
    """Whether the outermost numbers of `linear` stay at the corners."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = A resampled along the axes of each channel"}
    because: ClassVar[str] = "Row r has the weights of the numbers that result r is made of; they sum to 1."

    def maps(self, x: Shape) -> list[AxisMap]:
        return [resampling.axis_map(self.mode) for resampling in self._resamplings(x)]

    def lengths(self, x: Shape) -> list[int]:
        found = self._resamplings(x)
        if (places := max(one.places for one in found)) > LARGEST_PLACES:
            raise Refusal.of(
                "too-large",
                f"upsample has {places} kinds of results, which lie differently between the numbers of the input; this "
                f"server takes {LARGEST_PLACES}.",
                "scale" if self.size is None else "size",
                expected=LARGEST_PLACES,
                got=places,
                hint="A ratio of smaller whole numbers, such as 3/2, has fewer.",
            )
        return [one.after for one in found]

    def _resamplings(self, x: Shape) -> list[Resampling]:
        if (self.scale is None) == (self.size is None):
            misfit("upsample takes either scale or size.", "scale", expected="scale or size", got=self.scale)
        if self.align_corners and self.mode != "linear":
            misfit(f"upsample aligns corners with mode linear only; its mode is {self.mode}.", "align_corners")
        lengths = x[2:]
        if self.size is not None:
            sizes = each_axis(self.kind, "size", self.size, len(lengths), least=1)
            return [
                Resampling.to_size(length, size, align_corners=self.align_corners)
                for length, size in zip(lengths, sizes, strict=True)
            ]
        scales = self.scale if isinstance(self.scale, list) else [self.scale or 0.0] * len(lengths)
        if len(scales) != len(lengths) or any(
            scale * length < 1 for scale, length in zip(scales, lengths, strict=True)
        ):
            misfit(
                f"upsample takes one scale, or one for each of its {len(lengths)} axes, with which at least one number of "
                f"each axis is left; it was given {self.scale} for the lengths {list(lengths)}.",
                "scale",
                expected=f"{len(lengths)} positive numbers",
                got=self.scale,
            )
        return [
            Resampling.by_scale(length, as_fraction(scale), align_corners=self.align_corners)
            for length, scale in zip(lengths, scales, strict=True)
        ]
