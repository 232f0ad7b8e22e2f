"""Conversion of nested lists to arrays.

simdjson copies all numbers under a list into one buffer regardless of their nesting, so the shape is determined and
checked here, along the first elements and then row by row. A list in place of a number can go unnoticed, as in
`[[1, [2]], [3, 4]]`; it shows in the number of brackets of the whole document, see `decode`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from app.wire.limits import RANK_LIMIT
from core.errors import Issue, Path, Refusal

_COUNTED = 2**24 - 2
"""The largest length of a list that simdjson counts; longer lists all look alike."""

_NUMBERS, _LISTS = {int, float}, {simdjson.Array}
"""Types of elements; true and false are of another."""


def to_array(value: simdjson.Array, elements: int, *, thorough: bool = False) -> NDArray[np.float64]:
    """Return the tensor that nested lists of numbers represent, as float64.

    Args:
        value: The outermost list.
        elements: Maximum number of elements.
        thorough: Whether to also find lists in place of numbers, which takes 50 times as long.

    Raises:
        Refusal: for ragged or empty lists, elements that are not numbers, and too many elements.
    """
    shape = shape_of(value)
    try:
        flat: NDArray[np.float64] = np.frombuffer(value.as_buffer(of_type="d"))
    except TypeError:  # One of the elements is not a number.
        raise _refusal(value, shape) from None
    if flat.size > min(elements, _COUNTED):
        detail = f"The tensor has {flat.size} elements, more than the request may hold."
        raise Refusal.of("too-large", detail, expected=elements, got=flat.size)
    try:
        for axis in range(1, len(shape)):
            if set(map(len, _rows(value, axis))) != {shape[axis]}:
                raise _refusal(value, shape)
    except TypeError:  # A number has no length.
        raise _refusal(value, shape) from None
    if flat.size != math.prod(shape) or (thorough and first_fault(value, shape)):
        raise _refusal(value, shape)
    return flat.reshape(shape)


def _refusal(value: simdjson.Array, shape: tuple[int, ...]) -> Refusal:
    fault = first_fault(value, shape)
    return Refusal([fault or Issue(code="invalid-request", detail="The tensor is not made of numbers.")])


def lists_in(shape: tuple[int, ...]) -> int:
    """Return the number of lists that represent a tensor of this shape."""
    lists = rows = 1
    for length in shape[:-1]:
        rows *= length
        lists += rows
    return lists


def _rows(value: simdjson.Array, axis: int) -> Iterable[Any]:
    """Return the lists whose lengths form this axis of a tensor."""
    rows: Iterable[Any] = value
    for _ in range(1, axis):
        rows = chain.from_iterable(rows)
    return rows


def shape_of(value: simdjson.Array) -> tuple[int, ...]:
    """Return the shape determined by the first elements.

    Raises:
        Refusal: for an empty list, or more axes than a tensor may have.
    """
    shape: list[int] = []
    row: Any = value
    while isinstance(row, simdjson.Array):
        if len(shape) == RANK_LIMIT:
            detail = f"The lists are nested deeper than the {RANK_LIMIT} axes that a tensor may have."
            raise Refusal.of("invalid-request", detail, expected=f"at most {RANK_LIMIT} axes")
        length = len(row)
        if length == 0:
            detail = "The list is empty; every axis of a tensor has at least one element."
            raise Refusal.of("invalid-request", detail, *(0,) * len(shape), got=[*shape, 0])
        shape.append(length)
        row = row[0]
    return tuple(shape)


def first_fault(value: simdjson.Array, shape: tuple[int, ...], path: Path = ()) -> Issue | None:
    """Return the first issue, in reading order, of nested lists that should be numbers of this shape.

    This reads every element. Returns None if there is no issue.
    """
    axis = len(path)
    if len(value) != shape[axis]:
        first = _place((0,) * axis)
        detail = f"Row {_place(path)} has {_elements(len(value))}, row {first} has {shape[axis]}."
        return Issue(code="ragged-array", detail=detail, path=path, expected=shape[axis], got=len(value))
    innermost = axis == len(shape) - 1
    as_expected = _NUMBERS if innermost else _LISTS
    for position, element in enumerate(value):
        if type(element) not in as_expected:
            return _wrong_element(element, (*path, position), "a number" if innermost else "a list")
        if isinstance(element, simdjson.Array):
            fault = first_fault(element, shape, (*path, position))
            if fault:
                return fault
    return None


def _wrong_element(element: object, path: Path, expected: str) -> Issue:
    got = _kind(element)
    if got in ("a list", "a number"):
        first = _place((0,) * len(path))
        detail = f"Element {_place(path)} is {got}, element {first} is {expected}."
        return Issue(code="ragged-array", detail=detail, path=path, expected=expected, got=got)
    detail = f"Element {_place(path)} is {got}, not a number."
    return Issue(code="invalid-request", detail=detail, path=path, expected="a number", got=got)


def _place(path: Path) -> str:
    return str(path[0]) if len(path) == 1 else str(path)


def _elements(count: int) -> str:
    return "1 element" if count == 1 else f"{count} elements"


def _kind(element: object) -> str:
    if element is None:
        return "null"
    if isinstance(element, bool):
        return "true" if element else "false"
    if isinstance(element, (int, float)):
        return "a number"
    if isinstance(element, simdjson.Array):
        return "a list"
    return "a string" if isinstance(element, str) else "an object"
