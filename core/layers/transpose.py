"""transpose: the axes of a tensor in another order."""

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
from core.spec import WholeNumber, constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Transpose(Layer):
    """Transposition: the axes of a tensor in another order.

        Forward    Z  = Xᵀ          by default, the last two axes exchanged
        Backward   dX = dZᵀ         with `axes`, the inverse permutation

    Axes are those of the tensor as the request writes it.
    """

    kind: Literal["transpose"] = "transpose"

    axes: list[WholeNumber] | None = field(
        default=None, metadata=constraints(min_length=1, max_length=8, examples=[[0, 2, 1]])
    )
    """Permutation: for each axis of the result, the axis of the input that it comes from, counted from 0. Default: the last
    two axes exchanged."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = A'"}

    def order(self, rank: int) -> list[int]:
        """Return, for each axis of the result, the axis of a tensor of this rank that it comes from."""
        if self.axes is not None:
            return self.axes
        return [*range(rank - 2), rank - 1, rank - 2] if rank > 1 else [0]

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        x = orient_shape(inputs[0], column)
        order = self.order(len(x))
        if sorted(order) != list(range(len(x))):
            misfit(
                f"transpose takes every axis 0 to {len(x) - 1} of a tensor of shape {list(x)} once; axes is {order}.",
                "axes",
                expected=list(range(len(x))),
                got=order,
            )
        return orient_shape(tuple(x[axis] for axis in order), column)

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        rank = len(inputs[0])
        examples = 1 if column and rank == 2 else 0
        return self.order(rank)[examples] != examples

    def _transposed(self, X: Array, context: LayerContext) -> Array:
        return context.as_sent(context.as_sent(X).transpose(self.order(X.ndim)))

    def derivation(self, layout: Layout) -> Derivation:
        order = tuple(self.order(len(layout.inputs[0])))
        back = tuple(int(axis) for axis in np.argsort(order))
        because = "The numbers are rearranged; none changes."
        return Derivation(
            [Equation("Z", r"<X>^\top", f"<X>.transpose({order})", because)],
            [
                Equation(
                    "dX",
                    r"<dZ>^\top",
                    f"<dZ>.transpose({back})",
                    "The inverse permutation brings each gradient back to the position of its number.",
                )
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        context.view_as_result(self._transposed(context.inputs[0], context))
        return []

    def backward(self, context: LayerContext) -> Ops:
        (dX,) = context.d_inputs
        return [] if dX is None else [partial(np.copyto, self._transposed(dX, context), context.d_result)]
