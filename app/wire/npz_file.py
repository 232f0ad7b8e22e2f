"""npz: a zip of arrays. Sizes are compared with what the file announces before memory is taken; nothing is unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from core.arrays import Array
from core.errors import Refusal

MEMBERS_LIMIT = 10_000
RANK_LIMIT = 8
_HEADER = 10_000
"""Bytes of an array's header."""


def read(file: IO[bytes], elements: int) -> dict[str, Array]:
    """All arrays by name: float64 or float32; half precision becomes float32, integers and booleans float64.

    Raises:
        Refusal: what is no such file, arrays of objects, more numbers than `elements`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS_LIMIT:
                detail = f"The file has {len(members):,} members; {MEMBERS_LIMIT:,} are the most."
                raise Refusal.of("too-large", detail, expected=MEMBERS_LIMIT, got=len(members))
            arrays: dict[str, Array] = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise Refusal.of("invalid-request", f"The array {name[:60]!r} is there twice.", name[:200])
                with archive.open(member) as opened:
                    arrays[name] = _array(opened, name[:200], member.file_size, elements)
                elements -= arrays[name].size
            return arrays
    except Refusal:
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, ValueError, EOFError) as error:
        detail = f"The file is no npz that can be read: {str(error)[:200] or type(error).__name__}."
        raise Refusal.of("invalid-request", detail) from None


def _array(opened: IO[bytes], name: str, size: int, elements: int) -> Array:
    """One array, of which `size` bytes are announced."""
    version = npy.read_magic(opened)
    if version not in ((1, 0), (2, 0)):
        raise Refusal.of("invalid-request", f"The array {name[:60]!r} has the version {version} of the format.", name)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = header(opened, max_header_size=_HEADER)
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        detail = f"The array {name[:60]!r} holds {dtype.name[:40]}; numbers and booleans are what is read."
        raise Refusal.of("invalid-request", detail, name, got=dtype.name[:40])
    if len(shape) > RANK_LIMIT or 0 in shape:
        detail = f"The array {name[:60]!r} has {len(shape)} axes, or an empty one; {RANK_LIMIT} are the most."
        raise Refusal.of("invalid-request", detail, name, expected=RANK_LIMIT, got=len(shape))
    count = math.prod(shape)
    if count > elements:
        detail = f"The array {name[:60]!r} has {count:,} numbers, more than this server takes."
        raise Refusal.of("too-large", detail, name, expected=elements)
    if count * dtype.itemsize > size:
        detail = f"The array {name[:60]!r} is cut off: {count:,} numbers of {dtype.name} in {size:,} bytes."
        raise Refusal.of("invalid-request", detail, name)
    memory = opened.read(count * dtype.itemsize)
    array: Array = np.frombuffer(memory, dtype, count).reshape(shape, order="F" if fortran else "C")
    return finite(array.astype(np.float32 if dtype.str[1:] in ("f2", "f4") else np.float64), name)


def finite(array: Array, name: str) -> Array:
    """The array.

    Raises:
        Refusal: `non-finite`, with the place of the first number that is none.
    """
    if not np.isfinite(array).all():
        index: tuple[Any, ...] = tuple(int(position) for position in np.argwhere(~np.isfinite(array))[0])
        raise Refusal.of("non-finite", f"The array {name[:60]!r} is {array[index]} at {list(index)}.", name, *index)
    return array


def write(arrays: dict[str, Array], file: IO[bytes]) -> None:
    """Write arrays. The same arrays give the same bytes: no times are noted."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(arrays.items()):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as opened:
                npy.write_array(opened, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
