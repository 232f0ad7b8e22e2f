"""Reading of ONNX files as plain data, in a child process that can fail without affecting the service."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.wire import safetensors_file
from app.wire.limits import DocumentLimits
from core.arrays import Array
from core.errors import Refusal

CHILD = Path(__file__).with_name("onnx_child.py")
SECONDS = 20
"""Maximum number of seconds that parsing may take."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """A node of an ONNX graph."""

    name: str
    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any]

    def describe(self) -> str:
        """Return the operator and name of the node, for messages."""
        return f"{self.operator[:60]} ({(self.name or self.outputs[0])[:60]!r})"


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """An ONNX graph: its nodes in execution order, and its constants by name."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    nodes: Sequence[OnnxNode]
    constants: Mapping[str, Array]
    opset: int


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


def read(body: bytes, elements: int) -> OnnxGraph:
    """Return the graph of an ONNX file.

    Raises:
        Refusal: if the file is not an ONNX model, refers to other files, or has non-finite or more than `elements` numbers.
    """
    require_onnx()
    # The child must not see the settings, which may contain the password of the database.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRADD_")}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(  # noqa: S603  (our own script)
            [sys.executable, "-I", str(CHILD)],
            input=body,
            capture_output=True,
            timeout=SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refusal.of("timeout", f"Reading the file took longer than {SECONDS} s.") from None
    if child.returncode:
        detail = "The file cannot be read: it needs too much memory or time, or makes the parser fail."
        raise Refusal.of("invalid-request", detail)
    file = safetensors_file.read(child.stdout, DocumentLimits(elements=elements))
    if "refusal" in file.metadata:
        raise Refusal.of("invalid-request", file.metadata["refusal"])
    graph = json.loads(file.metadata["graph"])
    constants = {name: file.tensors[short] for name, short in graph["constants"].items()}
    nodes = [OnnxNode(**node) for node in graph["nodes"]]
    return OnnxGraph(graph["inputs"], graph["outputs"], nodes, constants, graph["opset"])
