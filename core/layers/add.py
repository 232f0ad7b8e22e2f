"""add: the sum of two or more tensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from numpy import add

from core.arrays import Op, Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.arithmetic import broadcast_shape, elementwise_derivation, sum_to_operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Layer):
    """Sum of two or more tensors, with broadcasting; the skip connection of a residual network.

        Forward    Z    = X_1 + X_2 + …
        Backward   dX_k = dZ              summed over the axes along which X_k was broadcast

    Shapes are broadcast by NumPy's rules: axes of length 1 are repeated, missing leading axes are added.
    """

    kind: Literal["add"] = "add"
    reads: ClassVar[tuple[int, int]] = (2, 1000)
    equations: ClassVar[dict[str, str]] = {"any": "Z = A_1 + A_2 + ..."}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        return broadcast_shape("add", inputs, column)

    def derivation(self, layout: Layout) -> Derivation:
        operands = [f"<X{position}>" for position in range(1, len(layout.inputs) + 1)]
        because = r"$\partial z / \partial x = 1$: each operand receives the gradient unchanged."
        return elementwise_derivation(
            layout, " + ".join(operands), " + ".join, [("<dZ>", "<dZ>")] * len(operands), because
        )

    def forward(self, context: LayerContext) -> Ops:
        first, second, *rest = context.inputs
        Z = context.new_result()
        ops: list[Op] = [partial(add, first, second, Z)]
        return ops + [partial(add, Z, operand, Z) for operand in rest]

    def backward(self, context: LayerContext) -> Ops:
        return [partial(sum_to_operand, context.d_result, dX) for dX in context.d_inputs if dX is not None]
