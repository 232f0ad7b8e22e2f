"""Filters: the fields of conv1d and conv2d, and the shapes that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from core.arrays import Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layers.shared.kernel import Kernel
from core.layers.shared.selection import selection
from core.layers.shared.windows import Padding, Windows, windows_along
from core.parameters import Parameter
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters(Kernel):
    """Base of layers whose filters slide along the last axes of their input."""

    padding: Padding = field(
        default=0,
        metadata=constraints(
            strict=False,
            description="Number of zeros added on both sides of an axis: one number for all axes, or a list with one for "
            "each, or with one for each side, first all before and then all behind ([top, left, bottom, right]); or "
            '"same", with which the result has ⌈length / stride⌉ windows along each axis.',
        ),
    )

    mode: Literal["cross_correlation", "convolution"] = field(
        default="cross_correlation",
        metadata=constraints(
            strict=False,
            description="`cross_correlation` is what torch and Keras compute; `convolution` rotates the kernel by 180°.",
        ),
    )

    def windows(self, x: Shape) -> tuple[Windows, Windows]:
        """Return the windows along height and width."""
        found = windows_along(
            self.kind,
            x[2:],
            size=self.kernel_size,
            size_field="kernel_size",
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        return (found[0], found[1]) if len(found) == 2 else (Windows(1, 1), found[0])

    def derivation(self, layout: Layout) -> Derivation:
        windows = self.windows(layout.inputs[0])[-len(self.axes) :]
        flip = "" if self.mode == "cross_correlation" else "[" + ", ".join([":", ":", *["::-1"] * len(self.axes)]) + "]"
        x, z, k = ("chw", "ors", "ij") if len(self.axes) == 2 else ("cw", "os", "j")
        numbers, positions = x[1:], z[1:]
        select = "".join(
            f",{position}{number}{offset}" for position, number, offset in zip(positions, numbers, k, strict=True)
        )
        chosen = "".join(f", <{name}>" for name in ("R", "S")[-len(self.axes) :])
        g, channels, filters = self.groups, layout.inputs[0][1], self.filters
        X = f"<X>.reshape({(layout.inputs[0][0], g, channels // g, *layout.inputs[0][2:])})"
        W = f"<weight>{flip}.reshape({(g, filters // g, channels // g, *(axis.size for axis in windows))})"
        dZ = f"<dZ>.reshape({(layout.result[0], g, filters // g, *layout.result[2:])})"
        zs = f"ng{z}"
        bias = f" + <bias>.reshape({(-1, *[1] * len(self.axes))})" if self.bias else ""
        times, back = (r"\star", r"\ast") if self.mode == "cross_correlation" else (r"\ast", r"\star")
        kernel = (filters, channels // g, *(axis.size for axis in windows))
        every = (0, *range(2, len(layout.result)))
        return Derivation(
            [
                *(
                    Equation(
                        letter,
                        r"[\text{number} = \text{window} \cdot \text{stride} + \text{offset}]",
                        selection(axis),
                        (
                            "1 where a window contains that row or column at that offset, 0 elsewhere: padding is "
                            "never selected."
                        ),
                    )
                    for letter, axis in zip(("R", "S")[-len(self.axes) :], windows, strict=True)
                ),
                Equation(
                    "Z",
                    rf"<X> {times} <weight>{' + <bias>' if self.bias else ''}",
                    f"np.einsum('ng{x}{select},goc{k}->{zs}', {X}{chosen}, {W}, optimize=True)"
                    f".reshape({layout.result}){bias}",
                    "Each result is the sum of a window times the kernel, over all channels of the group.",
                ),
            ],
            [
                Equation(
                    "d_weight",
                    rf"<X> {times} <dZ>",
                    f"np.einsum('ng{x}{select},{zs}->goc{k}', {X}{chosen}, {dZ}, optimize=True).reshape({kernel}){flip}",
                    (
                        "Every number of the kernel multiplies every window: the gradient is a valid cross-correlation "
                        "of the input with the delta."
                    ),
                ),
                *(
                    [
                        Equation(
                            "d_bias",
                            r"\textstyle\sum <dZ>",
                            f"<dZ>.sum(axis={every})",
                            (
                                "The bias is added at every position, so its gradient is the sum over examples and "
                                "positions."
                            ),
                        )
                    ]
                    if self.bias
                    else []
                ),
                Equation(
                    "dX",
                    rf"<dZ> {back} <weight>",
                    f"np.einsum('{zs}{select},goc{k}->ng{x}', {dZ}{chosen}, {W}, optimize=True).reshape({layout.inputs[0]})",
                    (
                        "Every number receives the deltas of all windows that contain it: a full convolution, with the "
                        "kernel rotated by 180°."
                    ),
                ),
            ],
        )

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        self.check(x, column)
        windows = self.windows(x)[-len(self.axes) :]
        return (x[0], self.filters, *(axis.count for axis in windows))

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        channels, windows = inputs[0][1] // self.groups, self.windows(inputs[0])
        kernel = tuple(axis.size for axis in windows[-len(self.axes) :])
        weight = Parameter(
            shape=(self.filters, channels, *kernel),
            fan_in=channels * math.prod(kernel),
            fan_out=self.filters // self.groups * math.prod(kernel),
            initial="scheme",
            weight_like=True,
        )
        return {"weight": weight, "bias": Parameter(shape=(self.filters,))} if self.bias else {"weight": weight}
