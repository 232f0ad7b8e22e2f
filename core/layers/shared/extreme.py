"""Reductions to the largest or the smallest number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from core.arrays import Array, Shape, real
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.reduce import Reduction


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(Reduction):
    """Base of the layers that reduce axes to their largest or smallest number."""

    has_kinks: ClassVar[bool] = True
    is_largest: ClassVar[bool]
    """True for the largest number, False for the smallest."""

    def kept(self, shape: Shape, column: bool) -> Shape:
        """Return the shape of the result with every reduced axis at length 1."""
        return self._shape_with_axes(shape, self._axes(shape, column))

    def wins(self, X: Array, Z: Array, column: bool) -> Array:
        """Return True at the numbers of X that are the result, batch-first."""
        return np.asarray(real(X) == real(Z).reshape(self.kept(X.shape, column)))

    def tied(self, X: Array, Z: Array, column: bool) -> Array:
        """Return True where several numbers are the result, with every reduced axis at length 1."""
        axes = self._axes(X.shape, column)
        return np.asarray(self.wins(X, Z, column).sum(axis=axes, keepdims=True) > 1)

    def shares(self, X: Array, Z: Array, column: bool) -> Array:
        """Return each number's share of the gradient: equal ones receive equal parts of it."""
        wins = self.wins(X, Z, column)
        return np.asarray(wins / wins.sum(axis=self._axes(X.shape, column), keepdims=True))

    def derivation(self, layout: Layout) -> Derivation:
        x = layout.core_shape(layout.inputs[0])
        gone = self._axes(x, layout.column)
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        name, word = ("max", "largest") if self.is_largest else ("min", "smallest")
        return Derivation(
            [
                Equation(
                    "Z",
                    rf"\{name} <X>",
                    layout.sent(f"{X}.{name}(axis={gone}, keepdims={self.keep_axis})", layout.result),
                    f"The {word} number along the axes.",
                )
            ],
            [
                Equation(
                    "wins",
                    rf"[<X> = \{name} <X>]",
                    f"({X} == {X}.{name}(axis={gone}, keepdims=True)) * 1.0",
                    f"1 at the {word} number, 0 elsewhere.",
                    "E",
                ),
                Equation(
                    "dX",
                    r"<wins> / \textstyle\sum <wins> \circ <dZ>",
                    layout.sent(
                        f"<wins> / <wins>.sum(axis={gone}, keepdims=True) * {dZ}.reshape({self.kept(x, layout.column)})",
                        layout.inputs[0],
                    ),
                    f"The {word} number receives the gradient; equal ones receive equal parts of it.",
                ),
            ],
        )

    def working_size(self, *inputs: Shape) -> int:
        return 2 * int(np.prod(inputs[0]))

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        context.fresh = False  # The way back compares with it: no activation is computed in its place.
        axes = self._axes(X.shape, context.column)
        reduce = np.amax if self.is_largest else np.amin
        if X.dtype.kind == "f":
            return [partial(reduce, X, axis=axes, out=Z, keepdims=self.keep_axis)]

        def op() -> None:
            """Choose by real parts, so that a complex step passes through the numbers that win."""
            shares = self.shares(X, reduce(real(X), axis=axes, keepdims=True), context.column)
            np.sum(X * shares, axis=axes, out=Z, keepdims=self.keep_axis)

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ, Z = context.inputs, context.d_inputs, context.d_result, context.result
        if dX is None:
            return []
        arriving, into = dZ.reshape(self.kept(X.shape, context.column)), dX
        return [lambda: np.multiply(self.shares(X, Z, context.column), arriving, into)]
