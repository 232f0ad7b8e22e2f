"""matmul: the product of two matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape
from core.convention import orient_shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.layers.shared.arithmetic import sum_to_operand
from core.operations import count, multiplication


def _times(A: Array, B: Array, out: Array) -> None:
    """Write A B into `out`, summed over the leading axes along which the operand was broadcast."""
    sum_to_operand(np.matmul(A, B), out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matmul(Layer):
    """Matrix product of two tensors; tensors of rank 3 or more are stacks of matrices.

        Forward    Z    = X_1 X_2           X_1 (…, r, k), X_2 (…, k, c)  ->  Z (…, r, c)
        Backward   dX_1 = dZ X_2ᵀ
                   dX_2 = X_1ᵀ dZ           summed over the leading axes along which an operand was broadcast

    The product is that of the matrices as the request writes them, in every convention. Leading axes are broadcast.
    """

    kind: Literal["matmul"] = "matmul"
    operations_formula: ClassVar[str] = "2 r k c for each matrix of the stack"
    reads: ClassVar[tuple[int, int]] = (2, 2)
    equations: ClassVar[dict[str, str]] = {"any": "Z = A_1 A_2"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        left, right = (orient_shape(shape, column) for shape in inputs)
        if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
            misfit(
                f"matmul multiplies r x k by k x c; it reads tensors of shapes {list(left)} and {list(right)}.",
                "inputs",
                hint="Put a transpose layer before one of them." if left[-1:] == right[-1:] else None,
            )
        try:
            stack = np.broadcast_shapes(left[:-2], right[:-2])
        except ValueError:
            misfit(f"matmul cannot pair the stacks of {list(left)} and {list(right)}.", "inputs")
        return orient_shape((*stack, left[-2], right[-1]), column)

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return min(len(shape) for shape in inputs) < 3  # Of two matrices, each has the examples along one axis.

    def derivation(self, layout: Layout) -> Derivation:
        left, right = layout.inputs
        products = [
            ("dX1", r"<dZ> <X2>^\top", "<dZ> @ <X2>.swapaxes(-1, -2)", left, (*layout.result[:-1], left[-1])),
            ("dX2", r"<X1>^\top <dZ>", "<X1>.swapaxes(-1, -2) @ <dZ>", right, (*layout.result[:-2], *right[-2:])),
        ]
        backward = []
        for result, latex, numpy, shape, whole in products:
            if shape != whole:
                lead = len(whole) - len(shape)
                axes = (
                    *range(lead),
                    *(lead + axis for axis, length in enumerate(shape) if length != whole[lead + axis]),
                )
                latex, numpy = rf"\textstyle\sum {latex}", f"({numpy}).sum(axis={axes}).reshape({shape})"
            backward.append(
                Equation(
                    result,
                    latex,
                    numpy,
                    (
                        r"$d(X_1 X_2) = dX_1 \, X_2 + X_1 \, dX_2$, and $\langle G, A B \rangle = \langle G B^\top, A "
                        r"\rangle = \langle A^\top G, B \rangle$."
                    ),
                )
            )
        return Derivation([Equation("Z", "<X1> <X2>", "<X1> @ <X2>", "The product of two matrices.")], backward)

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        left = orient_shape(inputs[0], column)
        *stack, rows, columns = orient_shape(result, column)
        return multiplication(rows, left[-1], columns, count(tuple(stack)))

    def forward(self, context: LayerContext) -> Ops:
        left, right = (context.as_sent(X) for X in context.inputs)
        return [partial(np.matmul, left, right, out=context.as_sent(context.new_result()))]

    def backward(self, context: LayerContext) -> Ops:
        left, right = (context.as_sent(X) for X in context.inputs)
        dZ, (d_left, d_right) = context.as_sent(context.d_result), context.d_inputs
        ops: list[Op] = []
        if d_left is not None:
            ops.append(partial(_times, dZ, right.swapaxes(-1, -2), context.as_sent(d_left)))
        if d_right is not None:
            ops.append(partial(_times, left.swapaxes(-1, -2), dZ, context.as_sent(d_right)))
        return ops
