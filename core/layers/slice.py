"""slice: a range of positions along one axis, or one of them."""

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
class Slice(Layer):
    """A range of positions along one axis, as Python counts it: from `start` up to, not including, `stop` in steps.

        Forward    Z  = S X                   S has a row for each chosen position, with a 1 there
        Backward   dX = Sᵀ dZ                 0 at positions that were not chosen

    The axis is counted on the tensor as the request writes it. Default: the features (axis 0 of a matrix under `column`,
    axis 1 otherwise). Negative positions count from the end. With `keep_axis` false one position is chosen, and the axis is
    removed.
    """

    kind: Literal["slice"] = "slice"

    axis: int | None = field(default=None, metadata=constraints(examples=[1]))
    """Axis along which positions are chosen, counted from 0, or from the end if negative. Default: the features."""

    start: int = field(default=0, metadata=constraints())
    """First position, counted from 0, or from the end if negative."""

    stop: int | None = field(default=None, metadata=constraints(examples=[3]))
    """Position before which the range ends, or after which with a negative step. Default: the range runs to the end."""

    step: int = field(default=1, metadata=constraints())
    """Distance between neighbouring positions; negative for the reverse order."""

    keep_axis: bool = field(default=True, metadata=constraints())
    """Whether the axis is kept. False removes it, which takes a range of one position."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = A[start:stop:step]"}

    def core_axis(self, shape: Shape, column: bool) -> int:
        """Return the axis of the batch-first tensor."""
        if self.axis is None:
            return min(1, len(shape) - 1)
        axis = axis_from_front("slice", self.axis, orient_shape(shape, column))
        return 1 - axis if column and len(shape) == 2 else axis

    def chosen(self, axis: int) -> tuple[slice, ...]:
        """Return the index of the chosen positions in a batch-first tensor."""
        return (*[slice(None)] * axis, slice(self.start, self.stop, self.step))

    def _kept(self, shape: Shape, axis: int) -> Shape:
        """Return the shape of the result with the axis."""
        length = len(range(*slice(self.start, self.stop, self.step).indices(shape[axis])))
        return (*shape[:axis], length, *shape[axis + 1 :])

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if not x:
            misfit("slice chooses positions along an axis; it reads a single number, which has none.", "inputs")
        if self.step == 0:
            misfit("slice takes a step that is not 0.", "step", got=0)
        axis = self.core_axis(x, column)
        kept = self._kept(x, axis)
        if not kept[axis]:
            misfit(f"slice chooses no position: there are {x[axis]} along the axis.", "start", got=self.start)
        if self.keep_axis:
            return kept
        if kept[axis] != 1:
            misfit(f"slice removes the axis of one chosen position; it was given {kept[axis]}.", "keep_axis")
        return (*kept[:axis], *kept[axis + 1 :])

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return self.core_axis(inputs[0], column) == 0

    def derivation(self, layout: Layout) -> Derivation:
        x = layout.core_shape(layout.inputs[0])
        axis = self.core_axis(x, layout.column)
        first = range(x[axis])[slice(self.start, self.stop, self.step)][0]
        chosen = ":".join("" if bound is None else str(bound) for bound in (self.start, self.stop, self.step))
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        taken = f"{X}[{':, ' * axis}{chosen if self.keep_axis else first}]"
        S, kept = f"np.eye({x[axis]})[{chosen}]", self._kept(x, axis)
        spread = f"np.moveaxis(np.tensordot({dZ}.reshape({kept}), {S}, axes=({axis}, 0)), -1, {axis})"
        return Derivation(
            [
                Equation(
                    "Z",
                    r"S <X>",
                    layout.sent(taken, layout.result),
                    "The chosen positions; $S$ has a row for each of them, with a 1 there.",
                )
            ],
            [
                Equation(
                    "dX",
                    r"S^\top <dZ>",
                    layout.sent(spread, layout.inputs[0]),
                    "Each chosen position receives its own gradient, the others 0.",
                )
            ],
        )

    def _view(self, whole: Array, context: LayerContext) -> Array:
        """Return the chosen positions of a tensor of the shape that the layer reads, in the shape of the result."""
        axis = self.core_axis(whole.shape, context.column)
        view = whole[self.chosen(axis)]
        return view if self.keep_axis else np.squeeze(view, axis)

    def forward(self, context: LayerContext) -> Ops:
        (X,) = context.inputs
        return [partial(np.copyto, context.new_result(), self._view(X, context))]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ = context.d_inputs, context.d_result
        if dX is None:
            return []
        return [partial(dX.fill, 0), partial(np.copyto, self._view(dX, context), dZ)]
