"""Encoding of answers: from objects with arrays to bytes of JSON.

orjson writes arrays directly from memory, but holds the interpreter lock for a whole document. Large answers are
therefore written in pieces of `BLOCK` elements, between which other threads run: an answer of 10⁷ elements blocks them
for 2 ms at a time, occasionally for 6.
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
"""Number of elements written at a time, in about 2 ms."""

LARGE = 2**17
"""Number of elements above which an answer is written in pieces. Joining the pieces costs as much as writing them."""

_SEARCHED = 2**14
"""Number of bytes of text up to which searching for `null` is faster than checking the arrays for NaN."""


def encode(answer: Any, *, encoding: Encoding = "json") -> bytes:
    """Encode an answer as JSON, with arrays as nested lists or base64.

    float64 and float32 are printed in the shortest form that reads back as the same bits. Booleans in arrays are written
    as 0 and 1, so that a mask can be sent back as a tensor; an array of rank 0 is a number. Fields of pydantic models that
    are None are left out.

    Args:
        answer: Nested dictionaries with string keys, lists, scalars, arrays and pydantic models.
        encoding: The encoding of tensors.

    Raises:
        GraddError: if a value is not finite, with its path. Callers check earlier, where they can say more.
    """
    if encoding == "json" and _elements(answer) <= LARGE:
        pieces = [_dumps(answer)]
    else:
        pieces = []
        for piece in _pieces(_ready(answer, encoding)[0]):
            pieces.append(piece)
            if len(piece) > _SEARCHED:
                time.sleep(0)  # Yields to a waiting thread immediately; Python's own switch interval is 5 ms.
    # orjson writes NaN and infinity as null; base64 hides them.
    if encoding == "base64" or len(pieces) > 1 or len(pieces[0]) > _SEARCHED or b"null" in pieces[0]:
        require_finite(answer)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)  # A large join releases the interpreter lock.


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, _convert, orjson.OPT_SERIALIZE_NUMPY)


def _convert(value: Any) -> Any:
    """Return a form of an unsupported value that orjson can write."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value) if value.ndim else value[()]
    raise TypeError(f"an answer cannot hold a {type(value).__name__}")


def _elements(answer: Any) -> int:
    """Return the number of elements of a value, more than `LARGE` if orjson would write its arrays differently."""
    count, waiting = 0, [answer]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind is np.ndarray:
            count += value.size if value.dtype.kind != "b" else LARGE + 1
        elif kind is dict:
            waiting += value.values()
        elif kind is str or kind is float:
            count += 1
        elif kind is list or kind is tuple:
            waiting += value
        else:
            count += LARGE + 1 if isinstance(value, (BaseModel, np.ndarray, dict, list, tuple)) else 1
    return count


class _Large:
    """A value with more than `BLOCK` elements, written in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces


def _ready(value: Any, encoding: Encoding) -> tuple[Any, int]:
    """Return the value in a form that orjson can write, or `_Large`, and its number of elements."""
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
    """Yield the text of a value that `_ready` returned."""
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
    """Yield the text of a large array in blocks of rows, so that only one block is copied at a time."""
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
