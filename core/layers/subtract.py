"""subtract: the difference of two tensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Op, Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.arithmetic import broadcast_shape, elementwise_derivation, sum_to_operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtract(Layer):
    """Difference of two tensors, with broadcasting.

        Forward    Z    = X_1 − X_2
        Backward   dX_1 = dZ
                   dX_2 = −dZ            summed over the axes along which X_k was broadcast

    Shapes are broadcast by NumPy's rules: axes of length 1 are repeated, missing leading axes are added.
    """

    kind: Literal["subtract"] = "subtract"
    reads: ClassVar[tuple[int, int]] = (2, 2)
    equations: ClassVar[dict[str, str]] = {"any": "Z = A_1 - A_2"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        return broadcast_shape("subtract", inputs, column)

    def derivation(self, layout: Layout) -> Derivation:
        because = r"$\partial z / \partial x_1 = 1$ and $\partial z / \partial x_2 = -1$."
        slopes = [("<dZ>", "<dZ>"), ("-<dZ>", "-<dZ>")]
        return elementwise_derivation(layout, "<X1> - <X2>", " - ".join, slopes, because)

    def forward(self, context: LayerContext) -> Ops:
        first, second = context.inputs
        return [partial(np.subtract, first, second, context.new_result())]

    def backward(self, context: LayerContext) -> Ops:
        d_first, d_second = context.d_inputs
        ops: list[Op] = []
        if d_first is not None:
            ops.append(partial(sum_to_operand, context.d_result, d_first))
        if d_second is not None:
            ops += [partial(sum_to_operand, context.d_result, d_second), partial(np.negative, d_second, d_second)]
        return ops
