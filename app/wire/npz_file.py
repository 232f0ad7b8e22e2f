"""npz files: zip archives of arrays. Announced sizes are checked before memory is allocated; nothing is unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Collection
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from core.arrays import Array
from core.errors import Refusal

MEMBERS_LIMIT = 10_000
RANK_LIMIT = 8
_HEADER = 10_000
"""Maximum number of bytes of an array's header."""


def read(file: IO[bytes], elements: int, texts: Collection[str] = ()) -> dict[str, Array]:
    """Read all arrays by name as float64 or float32.

    Half precision becomes float32; integers and booleans become float64. Arrays named in `texts` are left out if they hold
    text.

    Raises:
        Refusal: if the file is not npz, contains arrays of objects, or has more numbers than `elements`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS_LIMIT:
                detail = f"The file has {len(members):,} members; at most {MEMBERS_LIMIT:,} are allowed."
                raise Refusal.of("too-large", detail, expected=MEMBERS_LIMIT, got=len(members))
            arrays: dict[str, Array] = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise Refusal.of("invalid-request", f"The array {name[:60]!r} occurs twice.", name[:200])
                if name in texts and _dtype(archive, member).kind in "US":
                    continue
                with archive.open(member) as opened:
                    arrays[name] = _array(opened, name[:200], member.file_size, elements)
                elements -= arrays[name].size
            return arrays
    except Refusal:
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, ValueError, EOFError) as error:
        detail = f"The file cannot be read as npz: {str(error)[:200] or type(error).__name__}."
        raise Refusal.of("invalid-request", detail) from None


def dtypes(file: IO[bytes]) -> dict[str, str]:
    """Return the type of every array of a file that `read` has accepted, as int8 or float64."""
    with zipfile.ZipFile(file) as archive:
        return {member.filename.removesuffix(".npy"): _dtype(archive, member).name for member in archive.infolist()}


def texts(file: IO[bytes], names: Collection[str]) -> dict[str, str]:
    """Return the arrays of these names that hold one text each, of at most 200 characters."""
    found = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in names and member.file_size <= _HEADER and _dtype(archive, member).kind in "US":
                with archive.open(member) as opened:
                    value = npy.read_array(opened, allow_pickle=False, max_header_size=_HEADER)
                if value.size == 1:
                    found[name] = str(value.astype(str).reshape(())[()])[:200]
    return found


def _dtype(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.dtype[Any]:
    """Return the type that the header of an array names."""
    with archive.open(member) as opened:
        version = npy.read_magic(opened)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        return header(opened, max_header_size=_HEADER)[2]


def _array(opened: IO[bytes], name: str, size: int, elements: int) -> Array:
    """Read an array for which the archive announces `size` bytes."""
    version = npy.read_magic(opened)
    if version not in ((1, 0), (2, 0)):
        raise Refusal.of(
            "invalid-request", f"The array {name[:60]!r} has the unsupported format version {version}.", name
        )
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = header(opened, max_header_size=_HEADER)
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        detail = f"The array {name[:60]!r} has the type {dtype.name[:40]}; only numbers and booleans are supported."
        raise Refusal.of("invalid-request", detail, name, got=dtype.name[:40])
    if len(shape) > RANK_LIMIT or 0 in shape:
        detail = f"The array {name[:60]!r} has {len(shape)} axes, or an empty one; at most {RANK_LIMIT} are allowed."
        raise Refusal.of("invalid-request", detail, name, expected=RANK_LIMIT, got=len(shape))
    count = math.prod(shape)
    if count > elements:
        detail = f"The array {name[:60]!r} has {count:,} numbers, more than this server allows."
        raise Refusal.of("too-large", detail, name, expected=elements)
    if count * dtype.itemsize > size:
        detail = f"The array {name[:60]!r} is cut off: {count:,} numbers of {dtype.name} in {size:,} bytes."
        raise Refusal.of("invalid-request", detail, name)
    memory = opened.read(count * dtype.itemsize)
    array: Array = np.frombuffer(memory, dtype, count).reshape(shape, order="F" if fortran else "C")
    return finite(array.astype(np.float32 if dtype.str[1:] in ("f2", "f4") else np.float64), name)


def finite(array: Array, name: str) -> Array:
    """Return the array unchanged.

    Raises:
        Refusal: `non-finite`, with the index of the first number that is not finite.
    """
    if not np.isfinite(array).all():
        index: tuple[Any, ...] = tuple(int(position) for position in np.argwhere(~np.isfinite(array))[0])
        raise Refusal.of("non-finite", f"The array {name[:60]!r} is {array[index]} at {list(index)}.", name, *index)
    return array


def write(arrays: dict[str, Array], file: IO[bytes]) -> None:
    """Write arrays to a file. The result is deterministic, because no timestamps are written."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(arrays.items()):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as opened:
                npy.write_array(opened, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
