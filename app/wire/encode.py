"""From an answer with arrays in it to bytes.

orjson writes arrays straight from their memory, but holds the interpreter lock for a whole document. So large answers
are written in pieces of `BLOCK` elements, and other threads get their turn in between: an answer of
10⁷ elements holds them up for 2 ms at a time, now and then for 6.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel

from app.wire.base64_tensor import to_base64
from app.wire.finite import require_finite

Encoding = Literal["json", "base64"]

BLOCK = 2**16
"""Elements that are written at a time, about 2 ms."""

LARGE = 2**17
"""Elements from which an answer is written in pieces: putting them together costs as much again as writing them."""

_SEARCHED = 2**14
"""Bytes of text in which it is faster to look for what orjson makes of NaN than to look at the arrays."""


def encode(answer: Any, *, encoding: Encoding = "json") -> bytes:
    """Write an answer as JSON, its arrays as nested lists or as base64.

    float64 and float32 are printed in their own shortest form that reads back as the same bits. Booleans in arrays are
    written as 0 and 1, so that a mask can be sent back as a tensor; an array of rank 0 is a number. Fields of pydantic
    models that are None are left out.

    Args:
        answer: Dictionaries with string keys, lists, scalars, arrays and pydantic models, nested at will.
        encoding: How tensors are written.

    Raises:
        GraddError: a value that is not finite, with its path. Callers look for them earlier and can say more.
    """
    if encoding == "json" and _elements(answer) <= LARGE:
        pieces = [_dumps(answer)]
    else:
        pieces = []
        for piece in _pieces(_ready(answer, encoding)[0]):
            pieces.append(piece)
            if len(piece) > _SEARCHED:
                time.sleep(0)  # Lets a waiting thread in at once; Python by itself lets it wait for 5 ms.
    # orjson writes NaN and infinity as null; base64 hides them.
    if encoding == "base64" or len(pieces) > 1 or len(pieces[0]) > _SEARCHED or b"null" in pieces[0]:
        require_finite(answer)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)  # A large join releases the interpreter lock.


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, _written, orjson.OPT_SERIALIZE_NUMPY)


def _written(value: Any) -> Any:
    """What orjson writes for something that it does not know."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value) if value.ndim else value[()]
    raise TypeError(f"an answer cannot hold a {type(value).__name__}")


def _elements(value: Any) -> int:
    """How many elements a value has; more than is written at once if orjson would write its arrays otherwise than we do."""
    if isinstance(value, np.ndarray):
        return value.size if value.dtype.kind != "b" else LARGE + 1
    if isinstance(value, dict):
        return sum(map(_elements, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_elements, value))
    return LARGE + 1 if isinstance(value, BaseModel) else 1


class _Large:
    """A value with more than `BLOCK` elements, which is written in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces


def _ready(value: Any, encoding: Encoding) -> tuple[Any, int]:
    """A value as orjson can write it, or `_Large`; and how many elements it has."""
    if isinstance(value, np.ndarray):
        return _ready_array(value, encoding)
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True, exclude_none=True)
    if isinstance(value, dict):
        values = {name: _ready(item, encoding) for name, item in value.items()}
        size = sum(count for _, count in values.values())
        named = {name: item for name, (item, _) in values.items()}
        return (_Large(_object(named)) if size > BLOCK else named), size
    if isinstance(value, (list, tuple)):
        items = [_ready(item, encoding) for item in value]
        size = sum(count for _, count in items)
        listed = [item for item, _ in items]
        return (_Large(_list(listed)) if size > BLOCK else listed), size
    return value, 1


def _ready_array(array: NDArray[Any], encoding: Encoding) -> tuple[Any, int]:
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.ndim == 0:
        return array[()], 1
    if array.size > BLOCK:
        return _Large(to_base64(array) if encoding == "base64" else _rows(array)), array.size
    if encoding == "base64":
        return orjson.Fragment(b"".join(to_base64(array))), array.size
    return np.ascontiguousarray(array), array.size


def _pieces(value: Any) -> Iterator[bytes]:
    """The text of a value that is ready."""
    if isinstance(value, _Large):
        yield from value.pieces
    else:
        yield _dumps(value)


def _object(values: dict[str, Any]) -> Iterator[bytes]:
    opening = b"{"
    for name, value in values.items():
        yield opening + orjson.dumps(name) + b":"
        yield from _pieces(value)
        opening = b","
    yield b"}"


def _list(values: list[Any]) -> Iterator[bytes]:
    opening = b"["
    for value in values:
        yield opening
        yield from _pieces(value)
        opening = b","
    yield b"]"


def _rows(array: NDArray[Any]) -> Iterator[bytes]:
    """The text of a large array, about a block of rows at a time; only a block is ever copied."""
    row = array.size // len(array)
    if row > BLOCK:
        yield from _list([_Large(_rows(part)) for part in array])
        return
    step = BLOCK // row
    opening = b"["
    for at in range(0, len(array), step):
        rows = np.ascontiguousarray(array[at : at + step])
        yield opening
        yield _dumps(rows)[1:-1]
        opening = b","
    yield b"]"
