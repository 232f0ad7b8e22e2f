"""Tensors in base64: `{"dtype": ..., "shape": [...], "data": ...}`, little-endian, in C order."""

from __future__ import annotations

import binascii
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.wire.limits import RANK_LIMIT
from core.errors import Issue, Refusal, refuse_if_any

KEYS = frozenset({"dtype", "shape", "data"})
"""An object with exactly these names is read as a tensor wherever a tensor is allowed."""

_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in ("float64", "float32", "int64", "int32")}
_READ = 2**20
"""Number of characters decoded at a time. The interpreter lock is held meanwhile, 4 ms for 10^6 of them."""
_WRITTEN = 3 * 2**18
"""Number of bytes encoded at a time, a multiple of 3 so that only the last piece is padded."""


def from_base64(value: dict[str, Any], elements: int) -> NDArray[Any]:
    """Return the tensor that an object with the `KEYS` represents, as float64 or float32. Integers become float64.

    Args:
        value: The object.
        elements: Maximum number of elements.

    Raises:
        Refusal: if the fields do not match, the data are not base64, or a number is not finite.
    """
    dtype, shape, data = value["dtype"], value["shape"], value["data"]
    refuse_if_any([*_dtype_issues(dtype), *_shape_issues(shape), *_data_issues(data)])
    size = math.prod(shape)
    if size > elements:
        detail = f"The tensor has {size} elements, more than the request may hold."
        raise Refusal.of("too-large", detail, "shape", expected=elements, got=size)
    length = size * _DTYPES[dtype].itemsize
    characters = (length + 2) // 3 * 4
    if len(data) != characters:
        detail = f"{size} elements of {dtype} are {length} bytes, in base64 {characters} characters, not {len(data)}."
        raise Refusal.of("invalid-request", detail, "data", expected=characters, got=len(data))
    try:
        pieces = [binascii.a2b_base64(data[at : at + _READ], strict_mode=True) for at in range(0, len(data), _READ)]
    except ValueError:
        pieces = []
    memory = b"".join(pieces)
    if len(memory) != length:  # Misplaced padding also leads here.
        detail = "The data is not base64: the standard alphabet, padded with =, without spaces or line breaks."
        raise Refusal.of("invalid-request", detail, "data")
    array = np.frombuffer(memory, _DTYPES[dtype]).reshape(shape)
    if array.dtype.kind == "i":
        return array.astype(np.float64)
    _require_finite(array)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _dtype_issues(dtype: object) -> Iterator[Issue]:
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        detail = f"The dtype of a tensor is one of {', '.join(_DTYPES)}."
        yield Issue(code="invalid-request", detail=detail, path=("dtype",), expected=list(_DTYPES))


def _shape_issues(shape: object) -> Iterator[Issue]:
    lengths = shape if isinstance(shape, list) else []
    if not 1 <= len(lengths) <= RANK_LIMIT or not all(type(length) is int and length > 0 for length in lengths):
        detail = f"The shape of a tensor is a list of 1 to {RANK_LIMIT} lengths, integers from 1 on."
        yield Issue(code="invalid-request", detail=detail, path=("shape",))


def _data_issues(data: object) -> Iterator[Issue]:
    if not isinstance(data, str):
        yield Issue(code="invalid-request", detail="The data of a tensor is a string of base64.", path=("data",))


def _require_finite(array: NDArray[Any]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(int(position) for position in np.argwhere(~finite)[0])
        detail = f"Element {index if len(index) > 1 else index[0]} is {array[index]}; only finite numbers are accepted."
        raise Refusal.of("non-finite", detail, "data")


def to_base64(array: NDArray[Any]) -> Iterator[bytes]:
    """Yield the JSON text of a tensor as a base64 object. Booleans and small integers are widened to int32."""
    if array.dtype.name not in _DTYPES:
        array = array.astype(np.int32 if np.can_cast(array.dtype, np.int32) else np.float64)
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    yield b'{"dtype":"%s","shape":%s,"data":"' % (array.dtype.name.encode(), orjson.dumps(array.shape))
    memory = memoryview(array.reshape(-1).view(np.uint8).data)
    for at in range(0, len(memory), _WRITTEN):
        yield binascii.b2a_base64(memory[at : at + _WRITTEN], newline=False)
    yield b'"}'
