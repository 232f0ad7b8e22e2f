"""ONNX files are read in this process, by the code that the child runs: a child for each of hundreds takes minutes."""

from __future__ import annotations

import json

import numpy as np
import safetensors.numpy

from app.models.formats.onnx.child.parsing import Refused, parse
from app.models.formats.onnx.child.reading import read_graph
from app.wire import safetensors_file
from app.wire.file_content import FileContent
from app.wire.limits import DocumentLimits
from core.errors import Refusal


def read_here(asked: str, body: FileContent, elements: int) -> safetensors_file.TensorFile:
    """Stand in for `app.models.formats.onnx.file._run_child`."""
    request = json.loads(asked)
    try:
        with np.errstate(all="ignore"):
            tensors, graph = read_graph(parse(bytes(body)), request["shapes"], request["outputs"])
        written = safetensors.numpy.save(tensors, {"graph": json.dumps(graph)})
    except Refused as refused:
        raise Refusal.of("invalid-request", str(refused)[:2000]) from None
    return safetensors_file.read(written, DocumentLimits(elements=elements))
