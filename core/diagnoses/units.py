"""Units: the features of a matrix, the channels of images, and the last axis of sequences."""

from __future__ import annotations

from collections.abc import Sequence

from core.arrays import Array

NAMED = 10
"""The largest number of units that a sentence names."""


def axis_of_units(array: Array) -> int:
    """Return the axis of the units of a tensor; the other axes hold the values of each unit."""
    return 1 if array.ndim > 3 else array.ndim - 1


def times(array: Array) -> int:
    """Return the number of values of each unit in the tensor."""
    return int(array.size // array.shape[axis_of_units(array)])


def by_unit(array: Array) -> tuple[int, ...]:
    """Return all axes except that of the units."""
    units = axis_of_units(array)
    return tuple(axis for axis in range(array.ndim) if axis != units)


def written(units: Sequence[int], of: int) -> str:
    """Return a phrase such as 'Units 0, 2 and 5 of 8', counted from 0."""
    shown = [str(unit) for unit in units[:NAMED]]
    if len(units) > NAMED:
        return f"Units {', '.join(shown)} … ({len(units)} of {of}, counted from 0)"
    if len(units) == 1:
        return f"Unit {shown[0]} of {of} (counted from 0)"
    return f"Units {', '.join(shown[:-1])} and {shown[-1]} of {of} (counted from 0)"
