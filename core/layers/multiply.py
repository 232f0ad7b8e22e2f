"""multiply: the product of two or more tensors, element by element."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.arithmetic import broadcast_shape, elementwise_derivation, sum_to_operand


def _product(factors: tuple[Array, ...], out: Array) -> None:
    np.copyto(out, factors[0])
    for factor in factors[1:]:
        np.multiply(out, factor, out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiply(Layer):
    """Elementwise (Hadamard) product of two or more tensors, with broadcasting; a gate.

        Forward    Z    = X_1 ∘ X_2 ∘ …
        Backward   dX_k = dZ ∘ Π_{j≠k} X_j     summed over the axes along which X_k was broadcast

    The gradient is formed from the product of the other factors, not from Z / X_k, so X_k may be 0. Shapes are broadcast by
    NumPy's rules: axes of length 1 are repeated, missing leading axes are added.
    """

    kind: Literal["multiply"] = "multiply"
    reads: ClassVar[tuple[int, int]] = (2, 1000)
    equations: ClassVar[dict[str, str]] = {"any": "Z = A_1 * A_2 * ..., element by element"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        return broadcast_shape("multiply", inputs, column)

    def derivation(self, layout: Layout) -> Derivation:
        operands = [f"<X{position}>" for position in range(1, len(layout.inputs) + 1)]
        slopes = []
        for operand in operands:
            others = ["<dZ>", *(other for other in operands if other != operand)]
            slopes.append((r" \circ ".join(others), " * ".join(others)))
        because = "Product rule: the derivative by one factor is the product of the other factors."
        return elementwise_derivation(layout, r" \circ ".join(operands), " * ".join, slopes, because)

    def forward(self, context: LayerContext) -> Ops:
        return [partial(_product, context.inputs, context.new_result())]

    def backward(self, context: LayerContext) -> Ops:
        factors, dZ = context.inputs, context.d_result
        product = context.scratch(context.shape)
        ops: list[Op] = []
        for position, dX in enumerate(context.d_inputs):
            if dX is not None:
                others = (dZ, *factors[:position], *factors[position + 1 :])
                ops += [partial(_product, others, product), partial(sum_to_operand, product, dX)]
        return ops
