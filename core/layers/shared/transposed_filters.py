"""Transposed filters: the fields of conv_transpose1d and conv_transpose2d, their shapes and their equations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from core.arrays import Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.equations.transposed_convolution import derivation
from core.layers.base import misfit
from core.layers.shared.kernel import Kernel
from core.layers.shared.selection import selection
from core.layers.shared.windows import Counts, Sides, Windows, each_axis, paddings_along
from core.parameters import Parameter
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class TransposedFilters(Kernel):
    """Base of layers in which every number of the input adds a multiple of the kernel to a window of the result."""

    padding: Sides = field(
        default=0,
        metadata=constraints(
            strict=False,
            description="Number of rows and columns cut off at both sides of an axis of the result, which a convolution of "
            "the result would pad: one number for all axes, or a list with one for each, or with one for each side, first "
            "all before and then all behind ([top, left, bottom, right]).",
        ),
    )

    output_padding: Counts = field(
        default=0,
        metadata=constraints(
            strict=False,
            description="Number of rows and columns added behind the result, less than the stride or the dilation: one "
            "number for all axes, or a list. It chooses among the sizes that a convolution reduces to the size of the input.",
        ),
    )

    def windows(self, x: Shape) -> tuple[Windows, Windows]:
        """Return the windows of the result along height and width, one for each row and column of the input.

        They are those of the convolution whose adjoint the layer is. `after` is negative where the last numbers of the result
        are in no window.
        """
        lengths = x[2:]
        rank, kind = len(lengths), self.kind
        sizes = each_axis(kind, "kernel_size", self.kernel_size, rank, least=1)
        strides = each_axis(kind, "stride", self.stride, rank, least=1)
        dilations = each_axis(kind, "dilation", self.dilation, rank, least=1)
        more = each_axis(kind, "output_padding", self.output_padding, rank, least=0)
        found = []
        for axis, (before, after) in enumerate(paddings_along(kind, self.padding, rank)):
            if more[axis] >= max(strides[axis], dilations[axis]):
                misfit(
                    f"{kind} adds fewer numbers behind the result than its stride or its dilation; it was given an "
                    f"output_padding of {more[axis]} with stride {strides[axis]} and dilation {dilations[axis]}.",
                    "output_padding",
                    expected=f"at most {max(strides[axis], dilations[axis]) - 1}",
                    got=more[axis],
                )
            reached = (lengths[axis] - 1) * strides[axis] + dilations[axis] * (sizes[axis] - 1) + 1
            length = reached - before - after + more[axis]
            if length < 1:
                misfit(
                    f"{kind} cuts {before} and {after} numbers off a result that has {reached + more[axis]} along an axis.",
                    "padding",
                    expected=f"together at most {reached + more[axis] - 1}",
                    got=[before, after],
                )
            behind = reached - before - length
            found.append(Windows(length, sizes[axis], strides[axis], before, behind, dilations[axis]))
        return (found[0], found[1]) if rank == 2 else (Windows(1, 1), found[0])

    def derivation(self, layout: Layout) -> Derivation:
        windows = self.windows(layout.inputs[0])[-len(self.axes) :]
        selections, sizes = [selection(axis) for axis in windows], tuple(axis.size for axis in windows)
        return derivation(layout, selections, sizes, filters=self.filters, groups=self.groups, bias=self.bias)

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        self.check(x, column)
        windows = self.windows(x)[-len(self.axes) :]
        return (x[0], self.filters, *(axis.length for axis in windows))

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        channels, filters = inputs[0][1], self.filters // self.groups
        windows = self.windows(inputs[0])[-len(self.axes) :]
        kernel = tuple(axis.size for axis in windows)
        entering = math.prod(
            -(-axis.size // axis.stride) for axis in windows
        )  # A stride s passes over s - 1 of s offsets.
        weight = Parameter(
            shape=(channels, filters, *kernel),
            fan_in=channels // self.groups * entering,
            fan_out=filters * math.prod(kernel),
            initial="scheme",
            weight_like=True,
        )
        return {"weight": weight, "bias": Parameter(shape=(self.filters,))} if self.bias else {"weight": weight}
