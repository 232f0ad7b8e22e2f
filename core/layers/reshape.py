"""reshape: the same elements of each example in another shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.spec import WholeNumber, constraints


def reshape(context: LayerContext, X: Array) -> Ops:
    """Set the result to X in the context's shape: a view if memory allows one, else a copy in every run."""
    try:
        context.view_as_result(np.reshape(X, context.shape, copy=False))
        return []
    except ValueError:
        Z = context.new_result()
        return [lambda: np.copyto(Z, X.reshape(Z.shape))]


def reshape_back(context: LayerContext) -> Ops:
    """Return the operations that write dZ in the shape of X into dX."""
    dZ, (dX,) = context.d_result, context.d_inputs
    if dX is None:
        return []
    try:
        return [partial(np.copyto, np.reshape(dX, dZ.shape, copy=False), dZ)]
    except ValueError:
        target = dX
        return [lambda: np.copyto(target, dZ.reshape(target.shape))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape(Layer):
    """Reshaping: the elements of each example in another shape, in row-major order.

        Forward    Z  = X in shape (n, *shape)
        Backward   dX = dZ in the shape of X

    The number of examples n is kept. One entry of `shape` may be −1; its length follows from the number of elements. Under
    `column`, a result of rank 2 is features x n, like every matrix.
    """

    kind: Literal["reshape"] = "reshape"

    shape: list[WholeNumber] = field(metadata=constraints(min_length=1, max_length=7, examples=[[1, 28, 28]]))
    """Shape of one example, without the number of examples."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = reshape(A)"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if not x:
            misfit("reshape keeps the number of examples; it reads a single number, which has no examples.")
        size = math.prod(x[1:])
        known = math.prod(length for length in self.shape if length != -1)
        wrong = [length for length in self.shape if length < 1 and length != -1]
        if wrong or self.shape.count(-1) > 1:
            misfit(f"reshape takes positive lengths and at most one -1; it was given {self.shape}.", "shape")
        if -1 in self.shape and size % known == 0:
            return (x[0], *(size // known if length == -1 else length for length in self.shape))
        if known != size or -1 in self.shape:
            misfit(
                f"reshape cannot arrange the {size} elements of an example of shape {list(x[1:])} as {self.shape}.",
                "shape",
                expected=f"a shape of {size} elements",
                got=list(self.shape),
            )
        return (x[0], *self.shape)

    def derivation(self, layout: Layout) -> Derivation:
        x, z = layout.core_shape(layout.inputs[0]), layout.core_shape(layout.result)
        forward = layout.sent(f"{layout.core('<X>', layout.inputs[0])}.reshape({z})", layout.result)
        backward = layout.sent(f"{layout.core('<dZ>', layout.result)}.reshape({x})", layout.inputs[0])
        return Derivation(
            [Equation("Z", r"\operatorname{reshape}(<X>)", forward, "The numbers are rearranged; none changes.")],
            [
                Equation(
                    "dX",
                    r"\operatorname{reshape}^{-1}(<dZ>)",
                    backward,
                    "Each gradient goes back to the position of its number.",
                )
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        return reshape(context, context.inputs[0])

    def backward(self, context: LayerContext) -> Ops:
        return reshape_back(context)
