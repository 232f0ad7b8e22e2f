"""An ONNX file as plain data: read in a child process that may fail without the service."""

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
from app.wire.limits import Limits
from core.arrays import Array
from core.errors import Refusal

CHILD = Path(__file__).with_name("onnx_child.py")
SECONDS = 20
"""Longest time that parsing may take."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """A node of the graph."""

    name: str
    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any]

    def shown(self) -> str:
        """The node in a sentence."""
        return f"{self.operator[:60]} ({(self.name or self.outputs[0])[:60]!r})"


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """The graph of a file: its nodes in execution order, and its constants by name."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    nodes: Sequence[OnnxNode]
    constants: Mapping[str, Array]
    opset: int


def is_installed() -> bool:
    """Whether the extra gradd[onnx] is there."""
    return importlib.util.find_spec("onnx") is not None


def require_onnx() -> None:
    """Refuse ONNX where the extra is missing.

    Raises:
        Refusal: `unsupported-operator`.
    """
    if not is_installed():
        detail = "This server was installed without ONNX."
        hint = "pip install 'gradd[onnx]', or use safetensors."
        raise Refusal.of("unsupported-operator", detail, "query", "format", hint=hint)


def read(body: bytes, elements: int) -> OnnxGraph:
    """The graph of a file.

    Raises:
        Refusal: what is no ONNX model, data in other files, numbers that are none, more numbers than `elements`.
    """
    require_onnx()
    # What the settings say, the address of a database for instance, is none of its business.
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
        detail = "The file cannot be read: it takes too much memory or time, or breaks the parser."
        raise Refusal.of("invalid-request", detail)
    file = safetensors_file.read(child.stdout, Limits(elements=elements))
    if "refusal" in file.metadata:
        raise Refusal.of("invalid-request", file.metadata["refusal"])
    graph = json.loads(file.metadata["graph"])
    constants = {name: file.tensors[short] for name, short in graph["constants"].items()}
    nodes = [OnnxNode(**node) for node in graph["nodes"]]
    return OnnxGraph(graph["inputs"], graph["outputs"], nodes, constants, graph["opset"])
