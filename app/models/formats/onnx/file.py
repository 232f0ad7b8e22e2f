"""Reading of ONNX files as plain data, in a child process that can fail without affecting the service."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import app
from app.models.formats.child_process import run_child
from app.models.formats.onnx.node import OnnxNode
from app.wire.file_content import FileContent
from app.wire.safetensors_file import TensorFile
from core.arrays import Array
from core.errors import Refusal

PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from app.models.formats.onnx.child.main import main; main()"
ROOT = Path(app.__file__).parents[1]
SECONDS = 30
"""Maximum number of seconds that reading may take."""

Lengths = tuple[int | None, ...]
"""A shape; None for a length that depends on the number of examples, or that the file leaves open."""


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """An ONNX graph: the nodes that its output depends on, in execution order, and its constants by name."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    nodes: Sequence[OnnxNode]
    constants: Mapping[str, Array]
    integers: frozenset[str]
    """The constants that are integers or truth values in the file."""

    varying: Mapping[str, Sequence[Sequence[int] | None]]
    """The constants that depend on the number of examples: their integers for two and for three, where they are few."""

    origins: Mapping[str, str]
    """The constant of the file from which another one was computed, such as a transposed weight."""

    shapes: Mapping[str, Lengths | None]
    """The shape of each value; None or missing where not even the number of axes is known."""

    examples: int | None
    """The number of examples, where the graph fixes it."""

    opset: int
    sample: tuple[Mapping[str, Array], Sequence[Array]] | None
    """Inputs, and the outputs that onnx's reference implementation computes from them."""

    unsampled: str | None
    """Why there is no sample."""


def is_installed() -> bool:
    """Return whether ONNX support (the extra onnx of this project) is installed."""
    return importlib.util.find_spec("onnx") is not None


def require_onnx() -> None:
    """Refuse the request if ONNX support is not installed.

    Raises:
        Refusal: `unsupported-operator`.
    """
    if not is_installed():
        detail = "This server was installed without ONNX."
        hint = "Install the package onnx where the server runs (the extra onnx of this project), or use safetensors."
        raise Refusal.of("unsupported-operator", detail, "query", "format", hint=hint)


def read(body: FileContent, elements: int, shapes: Mapping[str, Sequence[int]], outputs: Sequence[str]) -> OnnxGraph:
    """Return the graph of an ONNX file.

    Args:
        body: the file.
        elements: the largest number of elements of all constants.
        shapes: the shape of an example of each input, where the request gives it; under "" that of the only input.
        outputs: the values to compute; if there are none, the outputs of the graph.

    Raises:
        Refusal: if the file is not an ONNX model, refers to other files, or has non-finite or more than `elements` numbers.
    """
    require_onnx()
    asked = json.dumps({"shapes": {name: list(shape) for name, shape in shapes.items()}, "outputs": list(outputs)})
    file = _run_child(asked, body, elements)
    graph = json.loads(file.metadata["graph"])
    tensors = file.tensors
    sampled = {name: tensors[f"i{position}"] for position, name in enumerate(graph["inputs"]) if "o0" in tensors}
    constants = {name: tensors[short] for name, short in graph["constants"].items()}
    return OnnxGraph(
        inputs=graph["inputs"],
        outputs=graph["outputs"],
        nodes=[OnnxNode(**node) for node in graph["nodes"]],
        constants=constants | {name: np.empty(0) for name in graph["empty"]},
        integers=frozenset(graph["integers"]),
        varying=graph["varying"],
        origins=graph["origins"],
        shapes={name: None if shape is None else tuple(shape) for name, shape in graph["shapes"].items()},
        examples=graph["examples"],
        opset=graph["opset"],
        sample=(sampled, [tensors[f"o{position}"] for position in range(len(graph["outputs"]))])
        if "o0" in tensors
        else None,
        unsampled=graph["unsampled"],
    )


def _run_child(asked: str, body: FileContent, elements: int) -> TensorFile:
    """Return what the child writes, as `run_child` does."""
    return run_child(["-c", PROGRAM, str(ROOT), asked], body, elements, seconds=SECONDS)
