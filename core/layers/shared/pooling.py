"""Pooling: windows over images, and their numbers offset by offset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from core.arrays import Array, Shape
from core.equations.equation import Equation
from core.layers.base import Layer, misfit
from core.layers.shared.selection import selection
from core.layers.shared.windows import Sides, Sizes, Windows, windows_along
from core.operations import CALL, ELEMENT, count
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling(Layer):
    """Base of the pooling layers, which reduce each window of each channel to one number."""

    operations_formula: ClassVar[str] = "80 for each element of the windows"

    size: Sizes = field(
        metadata=constraints(
            strict=False, examples=[2], description="Height and width of the window: one number for both, or a list."
        )
    )

    stride: Sizes | None = field(
        default=None,
        metadata=constraints(
            strict=False,
            description="Distance between neighbouring windows: one number for both axes, or a list. Default: the size, "
            "so that windows do not overlap.",
        ),
    )

    padding: Sides = field(
        default=0,
        metadata=constraints(
            strict=False,
            description="Number of rows and columns added on each side of an image, at most half a window: one number, or a "
            "list with one for each axis or for each side ([top, left, bottom, right]).",
        ),
    )

    def _windows(self, x: Shape) -> tuple[Windows, Windows]:
        rows, columns = windows_along(
            self.kind,
            x[2:],
            size=self.size,
            size_field="size",
            stride=self.size if self.stride is None else self.stride,
            padding=self.padding,
        )
        return rows, columns

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) != 4:
            sent = list(x[::-1] if column and len(x) == 2 else x)
            misfit(
                f"{self.kind} reads images, n x channels x height x width, in every convention; it reads a tensor of shape "
                f"{sent}.",
                hint='Put a reshape layer before it: {"kind": "reshape", "shape": [1, 28, 28]}.',
            )
        windows = self._windows(x)
        for axis in windows:
            padding = max(axis.before, axis.after)
            if 2 * padding > axis.size:
                misfit(
                    f"{self.kind} pads by at most half a window, so that none is all padding: {axis.size // 2} for a "
                    f"window of {axis.size}; it was given {padding}.",
                    "padding",
                    expected=axis.size // 2,
                    got=padding,
                )
        return (*x[:2], *(axis.count for axis in windows))

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        (x,) = inputs
        rows, columns = self._windows(x)
        offsets = rows.size * columns.size
        return CALL * (offsets + 2) + 4 * ELEMENT * (offsets * count(result) + self.working_size(x) + count(x))

    def offsets(self, Z: Array, X: Array) -> list[tuple[Array, Array]]:
        """Return, for each offset in a window, views of the windows with a number of the image there, and of the numbers."""
        rows, columns = self._windows(X.shape)
        offsets = []
        for i in range(rows.size):
            windows, numbers = rows.inside(i)
            for j in range(columns.size):
                beside, across = columns.inside(j)
                offsets.append((Z[:, :, windows, beside], X[:, :, numbers, across]))
        return offsets


def selections(rows: Windows, columns: Windows) -> list[Equation]:
    """Return the selections R and S of the windows along both axes, as equations."""
    latex = r"[\text{number} = \text{window} \cdot \text{stride} + \text{offset}]"
    because = "1 where a window contains that row or column at that offset, 0 elsewhere: padding is never selected."
    return [Equation(letter, latex, selection(axis), because) for letter, axis in (("R", rows), ("S", columns))]
