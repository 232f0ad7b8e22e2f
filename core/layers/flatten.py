"""flatten: each example as one row of features."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.layers.reshape import reshape, reshape_back
from core.spec import constraints


def by_columns(X: Array) -> Array:
    """The last two axes exchanged: reading it row by row scans each map of X column by column."""
    return X.swapaxes(-1, -2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten(Layer):
    """Flattening: all elements of an example become one vector of features.

        Forward    Z  = X in shape (n, features)
        Backward   dX = dZ in the shape of X

    `row_major` lets the last axis vary fastest (channel by channel, row by row), as NumPy and torch do. `column_scan` reads
    each feature map column by column, as MATLAB's A(:) and Zhang's derivation do.

    Source: Zhang, Derivation of Backpropagation in Convolutional Neural Network (2016), §2.5, for the column scan.
    """

    kind: Literal["flatten"] = "flatten"

    order: Literal["row_major", "column_scan"] = field(default="row_major", metadata=constraints(strict=False))
    """Order in which the elements of an example are read."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = flatten(A)"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if not x:
            misfit("flatten makes a row of features of every example; it reads a single number, which has no examples.")
        if self.order == "column_scan" and len(x) < 3:
            misfit(f"flatten scans maps by columns; it reads a tensor of shape {list(x)}, which has no maps.", "order")
        return (x[0], math.prod(x[1:]))

    def derivation(self, layout: Layout) -> Derivation:
        x, n = layout.core_shape(layout.inputs[0]), layout.core_shape(layout.inputs[0])[0]
        forward, backward = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        if self.order == "column_scan":
            turned = (*x[:-2], x[-1], x[-2])
            forward, backward = f"{forward}.swapaxes(-1, -2)", f"{backward}.reshape({turned}).swapaxes(-1, -2)"
        forward, backward = layout.sent(f"{forward}.reshape({n}, -1)", layout.result), f"{backward}.reshape({x})"
        return Derivation(
            [Equation("Z", r"\operatorname{flatten}(<X>)", forward, "The numbers are rearranged; none changes.")],
            [
                Equation(
                    "dX",
                    r"\operatorname{flatten}^{-1}(<dZ>)",
                    layout.sent(backward, layout.inputs[0]),
                    "Each gradient goes back to the position of its number.",
                )
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,) = context.inputs
        if self.order == "row_major":
            return reshape(context, X)
        Z = context.new_result()
        return [lambda: np.copyto(Z, by_columns(X).reshape(Z.shape))]

    def backward(self, context: LayerContext) -> Ops:
        (X,), dZ, (dX,) = context.inputs, context.d_result, context.d_inputs
        if dX is None or self.order == "row_major":
            return reshape_back(context)
        scanned, turned = by_columns(X).shape, by_columns(dX)
        return [lambda: np.copyto(turned, dZ.reshape(scanned))]
