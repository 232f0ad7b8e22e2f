"""Parse a Keras file in a process of its own, with limits of memory and time, and write its contents as safetensors.

`file.py` runs this file as a script; it imports nothing of the service. Only HDF5 is read, and only numbers and the
text of the configuration: nothing is unpickled, no class is imported, and no other file is opened, even if links name one.

argv      the number of elements that may be read
stdin     a .keras, .weights.h5 or .h5 file
stdout    safetensors: the arrays as c0, c1, ...; metadata `file` as JSON, or `refusal`, a sentence
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
import zlib
from typing import Any

import numpy as np
import safetensors.numpy

MOST_OBJECTS = 20_000
DEPTH = 16
RANK_LIMIT = 8
TEXT_LIMIT = 16 * 2**20
SECONDS = 20
ROOM = 2 * 2**30
"""Bytes of address space in addition to the part that is proportional to the size of the file."""


class Refused(Exception):
    """The file cannot be read; the message says why."""


def main() -> None:
    """Read the file from stdin and write its contents to stdout."""
    elements, body = int(sys.argv[1]), sys.stdin.buffer.read()
    _limit(len(body), elements)
    try:
        text, weights = _parts(body, 8 * elements + TEXT_LIMIT)
        reader = Reader(elements)
        file = reader.read(weights)
        if text is not None:
            file["config"] = text
        content = safetensors.numpy.save(reader.arrays, {"file": json.dumps(file)})
    except Refused as refused:
        content = safetensors.numpy.save({}, {"refusal": str(refused)[:1000]})
    sys.stdout.buffer.write(content)


def _limit(size: int, elements: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limits.
        import resource

        memory = ROOM + 8 * size + 24 * elements
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _parts(body: bytes, limit: int) -> tuple[str | None, bytes]:
    """Return the configuration of a .keras file, None for HDF5 alone, and the bytes of the HDF5 file."""
    if not body.startswith(b"PK"):
        return None, body
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = {member.filename: member for member in archive.infolist()}
            for name, most in (("config.json", TEXT_LIMIT), ("model.weights.h5", limit)):
                if name not in members:
                    raise Refused(f"The file has no {name}, so that it is no .keras file.")
                if members[name].file_size > most:
                    raise Refused(f"{name} has {members[name].file_size:,} bytes; {most:,} are allowed.")
            return archive.read("config.json").decode(), archive.read("model.weights.h5")
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, ValueError, EOFError, NotImplementedError) as error:
        raise Refused(f"The file cannot be read as .keras: {str(error)[:200] or type(error).__name__}.") from None


class Reader:
    """The arrays of an HDF5 file under short names, because the names in the file can be arbitrary."""

    def __init__(self, elements: int) -> None:
        self.arrays: dict[str, Any] = {}
        self._elements = elements
        self._objects = 0

    def read(self, body: bytes) -> dict[str, Any]:
        """Return the layers of the file, in its order where it has one, with the short names of their arrays."""
        import h5py

        try:
            with h5py.File(h5py.h5f.open_file_image(body)) as file:
                top = self._child(file, "model_weights") if "model_weights" in file else file
                found: dict[str, Any] = {"config": _text(file.attrs.get("model_config"))}
                if "layer_names" in top.attrs or "layer_names0" in top.attrs:
                    layers = [self._legacy(top, name) for name in _names(top, "layer_names")]
                    return found | {"legacy": True, "layers": layers}
                if "layers" not in file:
                    raise Refused(
                        "The file has no group 'layers' and no attribute 'layer_names': Keras did not write it."
                    )
                layers = []
                self._walk(self._child(file, "layers"), (), layers)
                return found | {"legacy": False, "layers": layers}
        except Refused:
            raise
        except MemoryError:
            raise Refused("The file needs more memory than its size and this server's limits allow.") from None
        except Exception as error:  # HDF5 reports damage by many kinds of errors.
            raise Refused(f"The file cannot be read as HDF5: {str(error)[:200] or type(error).__name__}.") from None

    def _legacy(self, top: Any, name: str) -> dict[str, Any]:
        group = top
        for part in filter(None, name.split("/")):
            group = self._child(group, part)
        names = _names(group, "weight_names")
        return {
            "path": name,
            "name": name,
            "arrays": [self._array(group, *weight.rpartition("/")[::2]) for weight in names],
        }

    def _walk(self, group: Any, path: tuple[str, ...], layers: list[Any]) -> None:
        """Add every group `vars` that holds arrays, with the path of its layer and the name that Keras gave the layer."""
        if len(path) > DEPTH:
            raise Refused(f"The groups of the file are nested more than {DEPTH} deep.")
        if path and path[-1] == "vars":
            keys = sorted(group, key=lambda key: (len(key), key))
            arrays = [self._array(group, "", key) for key in keys]
            name = _text(group.attrs.get("name"))
            layers.append({"path": "/".join(path[:-1]), "name": name, "arrays": arrays})
            return
        for key in group:
            child = self._child(group, key)
            if hasattr(child, "keys") and key != "seed_generator":  # Its numbers are of no layer.
                self._walk(child, (*path, key), layers)

    def _child(self, group: Any, key: str) -> Any:
        """Return a member of a group. Links to other places and files are not followed."""
        import h5py

        self._objects += 1
        if self._objects > MOST_OBJECTS:
            raise Refused(f"The file has more than {MOST_OBJECTS:,} groups and arrays.")
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise Refused(f"{key[:60]!r} is a link to another place, which is not followed.")
        return group[key]

    def _array(self, group: Any, below: str, key: str) -> str:
        """Read an array and return its short name. The size is checked before memory is taken."""
        import h5py

        for part in filter(None, below.split("/")):
            group = self._child(group, part)
        found = self._child(group, key)
        if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
            raise Refused(f"{key[:60]!r} is no array, or one that is stored in another file.")
        if found.dtype.kind != "f" or found.dtype.itemsize > 8 or found.shape is None:
            kind = str(found.dtype)[:40]
            raise Refused(
                f"The array {found.name[:100]!r} has the type {kind}; weights are floating-point numbers here."
            )
        self._elements -= found.size
        if self._elements < 0 or found.ndim > RANK_LIMIT or not found.size:
            shape = list(found.shape)[:RANK_LIMIT]
            raise Refused(
                f"The array {found.name[:100]!r} of shape {shape} is empty, or has more than this server takes."
            )
        array = np.asarray(found[()])
        short = f"c{len(self.arrays)}"
        plain = np.ascontiguousarray(array.astype(f"f{max(4, array.itemsize)}"))
        self.arrays[short] = plain.reshape(array.shape)
        return short


def _names(group: Any, attribute: str) -> list[str]:
    """Return a list of names in the attributes of a group, which Keras divides where it is long."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    return [str(_text(name)) for part in parts for name in group.attrs[part][:MOST_OBJECTS]]


def _text(value: Any) -> Any:
    """Return an attribute as text; None if it is none."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return str(value) if isinstance(value, str) else None


if __name__ == "__main__":
    main()
