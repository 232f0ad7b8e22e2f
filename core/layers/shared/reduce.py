"""Reductions: the axes and shapes of reduce_sum and reduce_mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np

from core.arrays import Shape, constant
from core.convention import orient_shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.axis import axis_from_front
from core.spec import WholeNumber, constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction(Layer):
    """Base of the layers that reduce axes to sums or means."""

    axis: WholeNumber | list[WholeNumber] | None = field(
        default=None,
        metadata=constraints(
            strict=False,
            examples=[1],
            description="Axis or axes to reduce, counted from 0 on the tensor as the request writes it, or from the end if "
            "negative. Default: all axes but that of the examples.",
        ),
    )

    keep_axis: bool = field(
        default=False,
        metadata=constraints(
            description="Whether reduced axes are kept with length 1, so that the rank does not change."
        ),
    )

    averages: ClassVar[bool] = False

    def _axes(self, shape: Shape, column: bool) -> tuple[int, ...]:
        """Return the axes of the batch-first tensor; by default, all but the first."""
        if self.axis is None:
            return tuple(range(1, len(shape)))
        asked = [self.axis] if isinstance(self.axis, int) else self.axis
        counted_axes = [axis_from_front(self.kind, axis, orient_shape(shape, column)) for axis in asked]
        turned = column and len(shape) == 2
        return tuple(dict.fromkeys(1 - axis if turned else axis for axis in counted_axes))

    def _shape_with_axes(self, shape: Shape, gone: tuple[int, ...]) -> Shape:
        """Return the shape of the result with every reduced axis kept at length 1."""
        return tuple(1 if axis in gone else length for axis, length in enumerate(shape))

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        gone = self._axes(x, column)
        if self.keep_axis:
            return self._shape_with_axes(x, gone)
        return tuple(length for axis, length in enumerate(x) if axis not in gone)

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return 0 in self._axes(inputs[0], column)

    def derivation(self, layout: Layout) -> Derivation:
        x = layout.core_shape(layout.inputs[0])
        gone = self._axes(x, layout.column)
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        share = math.prod(x[axis] for axis in gone) if self.averages else 1
        letter, over = (r"\operatorname{mean}", f" / {share}") if self.averages else (r"\operatorname{sum}", "")
        forward = layout.sent(f"{X}.sum(axis={gone}, keepdims={self.keep_axis})", layout.result) + over
        kept = self._shape_with_axes(x, gone)
        backward = layout.sent(f"({dZ}.reshape({kept}) * np.ones({x}))", layout.inputs[0]) + over
        latex = rf"\tfrac{{1}}{{{share}}} " if self.averages else ""
        return Derivation(
            [
                Equation(
                    "Z",
                    f"{letter}(<X>)",
                    forward,
                    "The sum along the axes." if not self.averages else "The mean along the axes.",
                )
            ],
            [
                Equation(
                    "dX",
                    latex + r"<dZ> \otimes \mathbf{1}",
                    backward,
                    "Every summand receives the gradient of its sum.",
                )
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        axes = self._axes(X.shape, context.column)
        total = partial(np.sum, X, axis=axes, out=Z, keepdims=self.keep_axis)
        if not self.averages:
            return [total]
        share = constant(Z.size / X.size, Z)
        return [total, partial(np.multiply, Z, share, Z)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ = context.inputs, context.d_inputs, context.d_result
        if dX is None:
            return []
        spread = dZ.reshape(self._shape_with_axes(X.shape, self._axes(X.shape, context.column)))
        if not self.averages:
            return [partial(np.copyto, dX, spread)]
        return [partial(np.multiply, spread, constant(dZ.size / X.size, dZ), dX)]
