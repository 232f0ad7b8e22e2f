"""pad: numbers added around images and sequences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from core.arrays import Shape
from core.layers.base import misfit
from core.layers.shared.axis_maps import AxisMaps
from core.layers.shared.strides import AxisMap, Stride
from core.layers.shared.windows import Sides, paddings_along
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad(AxisMaps):
    """Padding: rows and columns added around every channel of an image, or numbers around a sequence.

        Forward    Z  = R X Sᵀ (+ value at the edges)        R, S: a row of zeros and at most a single 1 for each result
        Backward   dX = Rᵀ dZ S                              each number receives the deltas of all its copies

    With `constant` the added numbers are `value`; with `edge` they repeat the outermost numbers (torch: replicate); with
    `reflect` they mirror the numbers about the outermost ones, which are not repeated.

    Source: torch.nn.functional.pad and numpy.pad, whose modes have these names.
    """

    kind: Literal["pad"] = "pad"

    padding: Sides = field(metadata=constraints(strict=False, examples=[1, [0, 0, 1, 1]]))
    """Count of numbers added to each axis behind the channels: one number for all sides, or a list with one for each axis, or
    with one for each side, first all before and then all behind ([top, left, bottom, right])."""

    mode: Literal["constant", "reflect", "edge"] = field(default="constant", metadata=constraints(strict=False))
    """What is added: `value`, the mirrored numbers, or the outermost number again."""

    value: float = field(default=0.0, metadata=constraints())
    """The number that `constant` adds."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = A with numbers added around each channel"}
    because: ClassVar[str] = "Row r has a 1 at the number that result r copies, and zeros alone where it copies none."

    def edge(self) -> float:
        return self.value if self.mode == "constant" else 0.0

    def maps(self, x: Shape) -> list[AxisMap]:
        return [
            self._map(length, before, after)
            for length, (before, after) in zip(x[2:], paddings_along(self.kind, self.padding, len(x) - 2), strict=True)
        ]

    def _map(self, length: int, before: int, after: int) -> AxisMap:
        strides, end = [Stride(before, 1, 0, 1, length)], before + length
        if self.mode == "reflect" and max(before, after) >= length:
            misfit(
                f"pad mirrors at most {length - 1} of {length} numbers; it was given a padding of {max(before, after)}.",
                "padding",
                expected=f"at most {length - 1}",
                got=max(before, after),
            )
        if self.mode == "reflect":
            strides += [Stride(0, 1, before, -1, before)] if before else []
            strides += [Stride(end, 1, length - 2, -1, after)] if after else []
        elif self.mode == "edge":
            strides += [Stride(0, 1, 0, 0, before)] if before else []
            strides += [Stride(end, 1, length - 1, 0, after)] if after else []
        edges = [edge for edge in (slice(0, before), slice(end, end + after)) if edge.start < edge.stop]
        matrix = f"np.pad(np.eye({length}), (({before}, {after}), (0, 0)), mode={self.mode!r})"
        return AxisMap(length, end + after, strides, matrix, edges if self.mode == "constant" else ())
