"""Reading of Keras files as plain data, in a child process that can fail without affecting the service."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.models.formats.child_process import run_child
from app.wire.file_content import FileContent
from core.arrays import Array
from core.errors import Refusal

CHILD = Path(__file__).with_name("child.py")
SECONDS = 20
"""Maximum number of seconds that parsing may take."""

PARTS_OF_A_LAYER = ("cell",)
"""Groups below a layer's own whose arrays are the layer's."""


@dataclass(frozen=True, slots=True)
class KerasGroup:
    """The arrays of one layer in a file, in Keras' order."""

    path: str
    """`dense_1`: the class of the layer in snake case and a number; in a legacy file the layer's name."""

    name: str | None
    """The name that the layer has in Keras, which older files do not record."""

    arrays: Sequence[Array]


@dataclass(frozen=True, slots=True)
class KerasFile:
    """The contents of a file: the network as Keras wrote it, if the file has one, and the arrays of every layer."""

    config: Mapping[str, Any] | None
    is_legacy: bool
    groups: Sequence[KerasGroup]


def is_installed() -> bool:
    """Return whether HDF5 (the extra keras of this project) is installed."""
    return importlib.util.find_spec("h5py") is not None


def read(body: FileContent, elements: int) -> KerasFile:
    """Return the contents of a .keras, .weights.h5 or .h5 file.

    Raises:
        Refusal: if h5py is not installed, the file is not valid, or has non-finite or more than `elements` numbers.
    """
    if not is_installed():
        detail = "This server was installed without h5py, which reads the files of Keras."
        hint = "Install the package h5py where the server runs (the extra keras of this project), or use safetensors."
        raise Refusal.of("unsupported-operator", detail, "query", "format", hint=hint)
    file = run_child(
        [str(CHILD), str(elements)],
        body,
        elements,
        seconds=SECONDS,
        hidden=("HDF5_",),
        environment={"HDF5_PLUGIN_PRELOAD": "::"},  # No plugins of HDF5 are loaded.
    )
    found = json.loads(file.metadata["file"])
    if found["legacy"]:
        groups = [
            KerasGroup(layer["path"], layer["name"], [file.tensors[short] for short in layer["arrays"]])
            for layer in found["layers"]
        ]
    else:
        groups = list(_groups(found["layers"], file.tensors))
    return KerasFile(_config(found["config"]), found["legacy"], groups)


def _groups(layers: Sequence[Mapping[str, Any]], tensors: Mapping[str, Array]) -> Sequence[KerasGroup]:
    """Return the layers of a file of Keras 3, with the arrays of a recurrent layer's cell as those of the layer.

    Raises:
        Refusal: `unsupported-operator`, for arrays that lie deeper, as those of a network in a network do.
    """
    found: dict[str, tuple[str | None, list[Array]]] = {}
    for layer in layers:
        name, *rest = layer["path"].split("/")
        arrays = [tensors[short] for short in layer["arrays"]]
        known = found.setdefault(name, (None, []))
        known[1].extend(arrays)
        if not rest:
            found[name] = (layer["name"], known[1])
        elif arrays and tuple(rest) != PARTS_OF_A_LAYER:
            detail = f"The arrays below {layer['path'][:100]!r} belong to a part of a layer, which has no layer here."
            raise Refusal.of("unsupported-operator", detail, layer["path"][:200])
    return [KerasGroup(path, name, arrays) for path, (name, arrays) in found.items() if path]


def _config(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return None
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise Refusal.of("invalid-request", "The configuration of the network in the file is not a JSON object.")
    return config
