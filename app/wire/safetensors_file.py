"""safetensors files: a JSON header with the name, type and position of every tensor, followed by their memory.

The header is read here instead of by the library, so that everything in it is checked before memory is allocated,
tensors are views of the file, and a refusal names the tensor.

Source: https://huggingface.co/docs/safetensors, "Format".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import safetensors.numpy
import simdjson
from numpy.typing import NDArray

from app.wire import json_document
from app.wire.file_content import FileContent
from app.wire.json_reader import JsonReader
from app.wire.limits import DEFAULT_LIMITS, ISSUES_LIMIT, RANK_LIMIT, DocumentLimits
from core.errors import Issue, Refusal, refuse_if_any

METADATA = "__metadata__"
HEADER_LIMIT = 16 * 2**20
"""Maximum number of bytes of a header; the library's own limit is 100 MB."""

_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
           "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1}  # fmt: skip
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
           "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}  # fmt: skip
_NAMES = {dtype.replace("?", "b1"): name for name, dtype in _DTYPES.items() if name != "BF16"}


@dataclass(frozen=True, slots=True)
class TensorFile:
    """The contents of a file. Tensors are float64 or float32; half precision becomes float32, integers float64."""

    tensors: dict[str, NDArray[Any]]
    metadata: dict[str, str]
    dtypes: dict[str, str] = field(default_factory=dict)
    """The type of every tensor in the file, as F32 or I8."""


def read(body: FileContent, limits: DocumentLimits = DEFAULT_LIMITS) -> TensorFile:
    """Read a file. Tensors of float64 and float32 are views of it.

    Raises:
        Refusal: if the file is not valid, a tensor is too large, or a number is not finite.
    """
    header, start = _header(body)
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise Refusal.of("invalid-request", f"{METADATA} must be an object whose values are strings.", METADATA)
    issues: list[Issue] = []
    for name, entry in header.items():
        issues += _entry_issues(name, entry, len(body) - start)
        if len(issues) >= ISSUES_LIMIT:
            break
    refuse_if_any(issues[:ISSUES_LIMIT])
    elements = sum(math.prod(entry["shape"]) for entry in header.values())
    if elements > limits.elements:
        detail = f"The file contains {elements:,} numbers; this server allows {limits.elements:,}."
        raise Refusal.of("too-large", detail, expected=limits.elements, got=elements)
    _refuse_gaps(header, len(body) - start)
    dtypes = {name: entry["dtype"] for name, entry in header.items()}
    return TensorFile({name: _tensor(name, entry, body, start) for name, entry in header.items()}, metadata, dtypes)


def write(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return a file with these tensors."""
    contiguous = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in tensors.items()}
    return safetensors.numpy.save(contiguous, dict(metadata) if metadata else None)


BLOCK = 2**20
"""Number of bytes of a tensor that are copied at a time."""


def blocks(array: NDArray[Any]) -> Iterator[memoryview]:
    """Return the elements of an array in C order as little-endian bytes, block by block: never is all of it copied."""
    little = array.dtype.newbyteorder("<")
    if array.ndim and array.size and array.nbytes > BLOCK and len(array) > 1:
        step = max(1, BLOCK * len(array) // array.nbytes)
        for start in range(0, len(array), step):
            yield from (
                blocks(array[start : start + step]) if step == 1 else [_bytes_of(array[start : start + step], little)]
            )
    elif array.ndim > 1 and array.nbytes > BLOCK:
        yield from blocks(array[0])
    else:
        yield _bytes_of(array, little)


def _bytes_of(array: NDArray[Any], dtype: np.dtype[Any]) -> memoryview:
    return np.ascontiguousarray(array, dtype).reshape(-1).view(np.uint8).data


class Writing:
    """A file of tensors that is made piece by piece, so that large tensors are not in memory a second time."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        # Wide elements first, so that all are aligned.
        self._tensors = sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
        at, header = 0, {}
        for name, array in self._tensors:
            end = at + array.nbytes
            dtype = _NAMES[array.dtype.newbyteorder("<").str.removeprefix("|")]
            header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, end]}
            at = end
        text = orjson.dumps(header)
        text += b" " * (-len(text) % 8)
        self._head = len(text).to_bytes(8, "little") + text
        self.size = len(self._head) + at
        """Number of bytes of the file."""

    def pieces(self, size: int) -> Iterator[bytes]:
        """Return the file in pieces of `size` bytes, the last of which may be shorter."""
        piece = bytearray(self._head)
        for _, array in self._tensors:
            for block in blocks(array):
                piece += block
                while len(piece) >= size:
                    yield bytes(piece[:size])
                    del piece[:size]
        if piece:
            yield bytes(piece)


def _header(body: FileContent) -> tuple[dict[str, Any], int]:
    """Return the header, and the position at which the memory of the tensors starts."""
    length = int.from_bytes(body[:8], "little")
    if len(body) < 8 or length > len(body) - 8:
        detail = (
            f"The file has {len(body):,} bytes but announces a header of {length:,}: it is truncated or no safetensors."
        )
        raise Refusal.of("invalid-request", detail)
    if length > HEADER_LIMIT:
        detail = f"The header has {length:,} bytes; this server allows {HEADER_LIMIT:,}."
        raise Refusal.of("too-large", detail, expected=HEADER_LIMIT, got=length)
    parsed = json_document.parse(body[8 : 8 + length])
    if not isinstance(parsed, simdjson.Object):
        raise Refusal.of("invalid-request", "The header of the file is not a JSON object.")
    reader = JsonReader(DEFAULT_LIMITS)
    header: dict[str, Any] = reader.object(parsed, None)
    refuse_if_any(reader.issues)
    return header, 8 + length


def _entry_issues(name: str, entry: Any, available: int) -> list[Issue]:
    """Return the issues of the header's entry for one tensor."""

    def issue(detail: str, **more: Any) -> list[Issue]:
        return [Issue(code="invalid-request", path=(name,), detail=f"Tensor {name[:60]!r}: {detail}", **more)]

    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        return issue("its entry must have dtype, shape and data_offsets.")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _WIDTHS:
        return issue(f"the type {str(dtype)[:20]!r} is not supported.", expected=list(_WIDTHS))
    if not isinstance(shape, list) or not all(type(length) is int and length >= 1 for length in shape):
        return issue("its shape must be a list of positive integers.")
    if len(shape) > RANK_LIMIT:
        return issue(
            f"it has {len(shape)} axes; at most {RANK_LIMIT} are allowed.", expected=RANK_LIMIT, got=len(shape)
        )
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(at) is int and at >= 0 for at in offsets):
        return issue("its data_offsets must be two non-negative integers.")
    begin, end = offsets
    size = math.prod(shape) * _WIDTHS[dtype]
    if end > available or end - begin != size:
        where = f"its memory is said to be bytes {begin} to {end} of {available}"
        return issue(f"{where}; {dtype} of shape {shape} takes {size}.")
    return []


def _refuse_gaps(header: Mapping[str, Any], available: int) -> None:
    """Refuse tensors that are not contiguous: nothing may be hidden between them, and none may share memory."""
    at = 0
    for begin, end in sorted(entry["data_offsets"] for entry in header.values()):
        if begin != at:
            raise Refusal.of(
                "invalid-request", f"The memory of the tensors has a gap or an overlap at byte {min(at, begin)}."
            )
        at = end
    if at != available:
        raise Refusal.of("invalid-request", f"{available - at} bytes follow the last tensor.")


def _tensor(name: str, entry: dict[str, Any], body: FileContent, start: int) -> NDArray[Any]:
    dtype, begin = entry["dtype"], start + entry["data_offsets"][0]
    count = math.prod(entry["shape"])
    array: NDArray[Any] = np.frombuffer(body, _DTYPES[dtype], count, begin).reshape(entry["shape"])
    if dtype == "BF16":  # The upper half of a float32.
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif dtype == "F16":
        array = array.astype(np.float32)
    elif array.dtype.kind != "f":
        return array.astype(np.float64)
    if not array.flags.aligned:
        array = array.copy()
    if not np.isfinite(array).all():
        index = tuple(int(position) for position in np.argwhere(~np.isfinite(array))[0])
        detail = f"Tensor {name[:60]!r} is {array[index]} at {list(index)}."
        raise Refusal.of("non-finite", detail, name, *index, got=str(array[index]))
    return array.astype(array.dtype.newbyteorder("="), copy=False)
