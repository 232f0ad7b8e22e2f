"""Windows: the positions of a kernel or pool along each axis of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from core.arrays import Array
from core.layers.base import misfit
from core.spec import Published, WholeNumber

_Size = Annotated[WholeNumber, Published(minimum=1)]
_Count = Annotated[WholeNumber, Published(minimum=0)]

Sizes = _Size | Annotated[list[_Size], Published(minItems=1, maxItems=2)]
"""One number from 1 on for all axes, or a list with one for each."""

Counts = _Count | Annotated[list[_Count], Published(minItems=1, maxItems=2)]
"""One number from 0 on for all axes, or a list with one for each."""

Sides = _Count | Annotated[list[_Count], Published(minItems=1, maxItems=4)]
"""One number from 0 on for all sides, or a list with one for each axis or for each side."""

Padding = Sides | Literal["same"]


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows along one axis.

    Window o reads the numbers o·stride − before + offset·dilation, for each offset below `size`; those before 0 and
    beyond the last are padding.
    """

    length: int
    size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def padded(self) -> int:
        """Length of the axis with its padding."""
        return self.before + self.length + self.after

    @property
    def reach(self) -> int:
        """Length from a window's first number to its last, both included."""
        return self.dilation * (self.size - 1) + 1

    @property
    def count(self) -> int:
        """Number of windows; 0 or negative if the axis is too short for one."""
        return (self.padded - self.reach) // self.stride + 1

    @property
    def is_padded(self) -> bool:
        """True if some windows read padding."""
        return self.before + self.after > 0

    @property
    def overlap(self) -> bool:
        """True if windows share numbers."""
        return self.stride < self.reach

    @property
    def tile(self) -> bool:
        """True if every number, and no padding, is in exactly one window."""
        return self.stride == self.size and self.dilation == 1 and not self.is_padded and self.length % self.size == 0

    def inside(self, offset: int) -> tuple[slice, slice]:
        """Return the windows whose number at this offset is not padding, and these numbers, as slices."""
        start = offset * self.dilation - self.before
        first = max(0, -(start // self.stride))
        last = min(self.count, (self.length - 1 - start) // self.stride + 1)
        if last <= first:
            return slice(0, 0), slice(0, 0)
        return slice(first, last), slice(start + first * self.stride, start + (last - 1) * self.stride + 1, self.stride)


def along(windows: Windows, axis: int, Z: Array, X: Array) -> list[tuple[Array, Array]]:
    """Return, for each offset in the windows along an axis, views of the windows with a number of X there, and of these."""
    before = (slice(None),) * axis
    slices = [windows.inside(offset) for offset in range(windows.size)]
    return [(Z[*before, reading], X[*before, numbers]) for reading, numbers in slices]


def windows_along(
    kind: str,
    lengths: Sequence[int],
    *,
    size: Sizes,
    size_field: str,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes = 1,
) -> list[Windows]:
    """Return the windows along each axis.

    Raises:
        Refusal: for an impossible size, stride, padding or dilation, or a window larger than the image.
    """
    rank = len(lengths)
    sizes = each_axis(kind, size_field, size, rank, least=1)
    strides = each_axis(kind, "stride", stride, rank, least=1)
    dilations = each_axis(kind, "dilation", dilation, rank, least=1)
    if padding == "same":
        bare = [Windows(*axis) for axis in zip(lengths, sizes, strides, strict=True)]
        return [_same(axis, op) for axis, op in zip(bare, dilations, strict=True)]
    paddings = paddings_along(kind, padding, rank)
    found = [
        Windows(length, size, stride, before=before, after=after, dilation=op)
        for length, size, stride, (before, after), op in zip(lengths, sizes, strides, paddings, dilations, strict=True)
    ]
    for axis in found:
        if axis.count < 1:
            padded = f" and {axis.padded} with its padding" if axis.is_padded else ""
            misfit(
                f"a window of {kind} reaches over {axis.reach} numbers; an axis of the images {list(lengths)} has "
                f"{axis.length}{padded}.",
                size_field,
                expected=f"at most {axis.padded}",
                got=axis.reach,
                hint='A smaller window, more padding, or "padding": "same".' if size_field == "kernel_size" else None,
            )
    return found


def paddings_along(kind: str, padding: Sides | str, rank: int) -> list[tuple[int, int]]:
    """Return the padding before and behind each axis: one number for all, one for each axis, or one for each side.

    Raises:
        Refusal: for a negative number, or another count of numbers.
    """
    values = [padding] * rank if isinstance(padding, int) else padding
    if isinstance(values, str) or len(values) not in (rank, 2 * rank) or any(number < 0 for number in values):
        misfit(
            f"{kind} takes one padding, one for each of its {rank} axes, or one for each side (all before, then all "
            f"behind: {2 * rank} in all), from 0 on; it was given {padding}.",
            "padding",
            expected=f"{rank} or {2 * rank} integers from 0 on",
            got=padding,
        )
    return list(zip(values[:rank], values[-rank:], strict=True))


def each_axis(kind: str, field: str, value: Sides | str, rank: int, *, least: int) -> list[int]:
    """Return the value of a field for each axis."""
    values = [value] * rank if isinstance(value, int) else value
    if isinstance(values, str) or len(values) != rank or any(number < least for number in values):
        misfit(
            f"{kind} takes one {field}, or one for each of its {rank} axes, from {least} on; it was given {value}.",
            field,
            expected=f"{rank} integers from {least} on",
            got=value,
        )
    return values


def _same(axis: Windows, dilation: int) -> Windows:
    """Return windows padded so that there are ⌈length / stride⌉; an odd number goes behind, as in TensorFlow and torch."""
    reach = dilation * (axis.size - 1) + 1
    count = -(-axis.length // axis.stride)
    total = max((count - 1) * axis.stride + reach - axis.length, 0)
    return Windows(axis.length, axis.size, axis.stride, total // 2, total - total // 2, dilation)
