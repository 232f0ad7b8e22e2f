"""Both directions of a recurrent layer: two layers of one direction that read the same sequence, the second reversed.

The second direction reads x_T … x_1 with parameters of its own, whose names end in `_reverse`. Each direction computes in
a `LayerContext` of its own, whose arrays are views of those of the layer:

    X          the sequence, or the sequence in reversed time
    h_0, c_0   the first u or the last u features of the initial states
    Z          [Z→ Z←], n x 2u; with every time step n x time x 2u, where Z← is put back into the order of the sequence
    dX         dX→ + dX←, where dX← is put back into that order too

Source: Schuster & Paliwal, Bidirectional Recurrent Neural Networks (1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from core.arrays import Array, Op
from core.layer_context import LayerContext, Value
from core.layers.base import Ops

FORWARD, REVERSE = "", "_reverse"
"""The ends of the names of each direction's parameters."""

Named = TypeVar("Named")


class OneDirection(Protocol):
    """A recurrent layer that reads in one direction."""

    def forward_through_time(self, context: LayerContext) -> Ops:
        """Set the context's result and return the operations that compute it."""
        ...

    def backward_through_time(self, context: LayerContext) -> Ops:
        """Return the operations that compute the gradients."""
        ...


def of_direction(named: Mapping[str, Named], direction: str) -> dict[str, Named]:
    """Return what belongs to one direction, under the names that it has in a layer of one direction."""
    return {name.removesuffix(REVERSE): one for name, one in named.items() if name.endswith(REVERSE) == bool(direction)}


def halves(units: int) -> Iterator[tuple[str, slice]]:
    """Yield each direction with its features in the result and in the initial states."""
    yield FORWARD, slice(0, units)
    yield REVERSE, slice(units, 2 * units)


def in_reading_order(array: Array, direction: str) -> Array:
    """Return a sequence in the order in which a direction reads it, or the reverse; matrices stay as they are."""
    return array[:, ::-1] if direction == REVERSE and array.ndim == 3 else array


def direction_context(context: LayerContext, direction: str, units: int) -> LayerContext:
    """Return the arrays around one direction."""
    half = dict(halves(units))[direction]
    sequence, *initial = context.inputs
    read = [in_reading_order(sequence, direction), *(state[:, half] for state in initial)]
    found = LayerContext(
        tuple(Value(array) for array in read),
        of_direction(context.parameters, direction),
        (*context.shape[:-1], units),
        context.dtype,
        name=context.name,
        position=context.position,
        column=context.column,
    )
    found.saved = of_direction(context.saved, direction)
    return found


def forward_in_both(context: LayerContext, layers: Mapping[str, OneDirection], units: int) -> Ops:
    """Return the operations of both directions, and those that put their states side by side."""
    Z = context.new_result()
    ops: list[Op] = []
    for direction, half in halves(units):
        own = direction_context(context, direction, units)
        ops += layers[direction].forward_through_time(own)
        ops.append(partial(np.copyto, Z[..., half], in_reading_order(own.result, direction)))
        _save(context, own, direction)
    return ops


def backward_in_both(context: LayerContext, layers: Mapping[str, OneDirection], units: int) -> Ops:
    """Return the operations that compute the gradients of both directions; that of the sequence is their sum."""
    dX, *d_initial = context.d_inputs
    ops: list[Op] = []
    for direction, half in halves(units):
        own = direction_context(context, direction, units)
        own.d_result = in_reading_order(context.d_result[..., half], direction)
        own_dX = dX if dX is None or direction == FORWARD else np.empty_like(dX)
        own.d_inputs = [own_dX, *(None if gradient is None else gradient[:, half] for gradient in d_initial)]
        own.gradients = of_direction(context.gradients, direction)
        ops += layers[direction].backward_through_time(own)
        if dX is not None and own_dX is not None and direction == REVERSE:
            ops.append(partial(np.add, dX, in_reading_order(own_dX, direction), dX))
        _save(context, own, direction)
    return ops


def _save(context: LayerContext, own: LayerContext, direction: str) -> None:
    context.saved.update({f"{name}{direction}": array for name, array in own.saved.items()})
