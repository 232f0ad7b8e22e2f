"""Kernel: the fields of all layers with kernels that slide over images and sequences."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from core.arrays import Shape
from core.layers.base import INITIALIZERS, Layer, misfit
from core.layers.shared.windows import Sizes, Windows
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel(Layer):
    """Base of convolutions and transposed convolutions."""

    filters: int = field(
        metadata=constraints(
            gt=0, examples=[6], description="Number of filters, which is the number of channels of the result."
        )
    )

    kernel_size: Sizes = field(
        metadata=constraints(
            strict=False,
            examples=[5],
            description="Size of the kernel: one number for all axes, or a list with one for each.",
        )
    )

    stride: Sizes = field(
        default=1,
        metadata=constraints(
            strict=False, description="Distance between neighbouring windows: one number for all axes, or a list."
        ),
    )

    dilation: Sizes = field(
        default=1,
        metadata=constraints(
            strict=False,
            description="Distance between neighbouring elements of a window: one number for all axes, or a list.",
        ),
    )

    groups: int = field(
        default=1,
        metadata=constraints(
            gt=0,
            description="Number of groups into which channels and filters are divided. A filter reads only the channels "
            "of its group.",
        ),
    )

    bias: bool = field(default=True, metadata=constraints(description="Whether to add the bias b."))

    initializer: str = field(
        default="default",
        metadata=constraints(
            choices=["default", *INITIALIZERS],
            description="Scheme by which `seed` draws the initial weight. Default: He normal before a rectifier, Glorot "
            "uniform otherwise.",
        ),
    )

    axes: ClassVar[tuple[str, ...]]
    """Names of the axes along which the kernel slides."""

    def check(self, x: Shape, column: bool) -> None:
        if len(x) != 2 + len(self.axes):
            example = " x ".join(["n", "channels", *self.axes])
            sent = list(x[::-1] if column and len(x) == 2 else x)
            misfit(
                f"{self.kind} reads {example}, in every convention; it reads a tensor of shape {sent}.",
                hint='Put a reshape layer before it: {"kind": "reshape", "shape": '
                + ("[1, 28, 28]}." if len(self.axes) == 2 else "[1, 100]}."),
            )
        if x[1] % self.groups or self.filters % self.groups:
            misfit(
                f"{self.kind} divides {x[1]} channels and {self.filters} filters into {self.groups} groups; both have to be "
                "multiples of it.",
                "groups",
                expected=f"a divisor of {math.gcd(x[1], self.filters)}",
                got=self.groups,
            )

    def windows(self, x: Shape) -> tuple[Windows, Windows]:
        """Return the windows along height and width; a sequence has the height 1."""
        raise NotImplementedError
