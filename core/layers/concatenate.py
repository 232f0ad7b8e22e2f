"""concatenate: tensors side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape
from core.convention import orient_shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.layers.shared.axis import axis_from_front
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Concatenate(Layer):
    """Concatenation of two or more tensors along one axis.

        Forward    Z    = [X_1 X_2 …]
        Backward   dX_k = the block of dZ at the place of X_k

    All other axes have equal lengths. The axis is counted on the tensors as the request writes them. Default: the features
    (axis 0 of a matrix under `column`, axis 1 otherwise).
    """

    kind: Literal["concatenate"] = "concatenate"

    axis: int | None = field(default=None, metadata=constraints(examples=[1]))
    """Axis along which the tensors are joined, counted from 0, or from the end if negative. Default: the features."""

    reads: ClassVar[tuple[int, int]] = (2, 1000)
    equations: ClassVar[dict[str, str]] = {"any": "Z = [A_1 A_2 ...]"}

    def _axis(self, shape: Shape, column: bool) -> int:
        """The axis in the core's view."""
        if self.axis is None:
            return min(1, len(shape) - 1)
        axis = axis_from_front("concatenate", self.axis, orient_shape(shape, column))
        return 1 - axis if column and len(shape) == 2 else axis

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        if not inputs[0]:
            misfit("concatenate joins tensors along an axis; it reads single numbers, which have none.", "inputs")
        axis = self._axis(inputs[0], column)
        rests = {shape[:axis] + shape[axis + 1 :] for shape in inputs}
        if len(rests) > 1 or len({len(shape) for shape in inputs}) > 1:
            shown = ", ".join(str(list(orient_shape(shape, column))) for shape in inputs)
            misfit(f"concatenate joins tensors that differ along one axis only; it reads shapes {shown}.", "inputs")
        first = inputs[0]
        return (*first[:axis], sum(shape[axis] for shape in inputs), *first[axis + 1 :])

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return self._axis(inputs[0], column) == 0

    def _blocks(self, whole: Array, context: LayerContext) -> list[Array]:
        axis = self._axis(context.shape, context.column)
        ends = np.cumsum([X.shape[axis] for X in context.inputs])
        return np.split(whole, ends[:-1], axis)

    def derivation(self, layout: Layout) -> Derivation:
        axis = self._axis(layout.core_shape(layout.inputs[0]), layout.column)
        axis = 1 - axis if layout.transposes(layout.inputs[0]) else axis
        operands = [f"<X{position}>" for position in range(1, len(layout.inputs) + 1)]
        ends = np.cumsum([shape[axis] for shape in layout.inputs])[:-1].tolist()
        because = "Each operand receives its own part of the gradient."
        return Derivation(
            [
                Equation(
                    "Z",
                    r"\bigl[" + r"\; ".join(operands) + r"\bigr]",
                    f"np.concatenate([{', '.join(operands)}], axis={axis})",
                    "The operands are joined along the axis.",
                )
            ],
            [
                Equation(
                    f"dX{part}",
                    rf"\bigl(<dZ>\bigr)_{{\text{{part }} {part}}}",
                    f"np.split(<dZ>, {ends}, axis={axis})[{part - 1}]",
                    because,
                )
                for part in range(1, len(operands) + 1)
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        blocks = self._blocks(context.new_result(), context)
        return [partial(np.copyto, block, X) for block, X in zip(blocks, context.inputs, strict=True)]

    def backward(self, context: LayerContext) -> Ops:
        blocks = self._blocks(context.d_result, context)
        return [
            partial(np.copyto, dX, block) for dX, block in zip(context.d_inputs, blocks, strict=True) if dX is not None
        ]
