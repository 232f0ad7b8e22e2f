"""Parsing: from the bytes of a file to a model whose size is known, and its constants to arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper

MOST_NODES = 20_000
MOST_CONSTANTS = 5_000
RANK_LIMIT = 8


class Refused(Exception):
    """The file cannot be read; the message says why."""


def parse(body: bytes) -> Any:
    """Return the model of a file.

    Raises:
        Refused: if it is none, or too large.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(body)
    except (DecodeError, RuntimeError, ValueError):
        raise Refused("The file is not an ONNX model: it cannot be parsed.") from None
    graph = model.graph
    if not graph.node:
        raise Refused("The file is not an ONNX model, or its graph has no nodes.")
    if len(graph.node) > MOST_NODES or len(graph.initializer) > MOST_CONSTANTS:
        raise Refused(f"The graph has more than {MOST_NODES:,} nodes or {MOST_CONSTANTS:,} constants.")
    if graph.sparse_initializer:
        raise Refused("The file contains sparse constants, which are not supported.")
    _refuse_damaged_names(graph)
    return model


def _refuse_damaged_names(graph: Any) -> None:
    """Refuse a graph with a name that is no text, which protobuf returns as bytes.

    Raises:
        Refused: if it has one.
    """
    values = [*graph.input, *graph.output, *graph.initializer, *graph.value_info]
    names = [value.name for value in values]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
        names += [attribute.name for attribute in node.attribute]
    damaged = next((name for name in names if isinstance(name, bytes)), None)
    if damaged is not None:
        raise Refused(f"The file is damaged: its name {damaged[:60]!r} is no text in UTF-8.")


def array_of(name: str, tensor: Any) -> Any:
    """Return a tensor as an array; None if it is not numeric or is empty.

    The size is checked before memory is allocated.
    """
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise Refused(
            f"The constant {name[:60]!r} is stored in another file, which is not read: save the model as one file."
        )
    kinds = {
        onnx.TensorProto.FLOAT: ("float_data", 4),
        onnx.TensorProto.DOUBLE: ("double_data", 8),
        onnx.TensorProto.FLOAT16: ("int32_data", 2),
        onnx.TensorProto.BFLOAT16: ("int32_data", 2),
        onnx.TensorProto.INT64: ("int64_data", 8),
        onnx.TensorProto.INT32: ("int32_data", 4),
        onnx.TensorProto.BOOL: ("int32_data", 1),
    }
    if tensor.data_type not in kinds:
        return None
    field, width = kinds[tensor.data_type]
    size = math.prod(tensor.dims)
    held = len(tensor.raw_data) // width if tensor.raw_data else len(getattr(tensor, field))
    if any(length < 0 for length in tensor.dims) or len(tensor.dims) > RANK_LIMIT or size != held:
        shape = list(tensor.dims)[:RANK_LIMIT]
        raise Refused(f"The constant {name[:60]!r} has the shape {shape}, but {held:,} numbers.")
    if not size:
        return None
    array = numpy_helper.to_array(tensor)
    return array if array.dtype.name in ("float32", "float64", "int64", "int32", "bool") else array.astype(np.float32)


def node_of(node: Any) -> dict[str, Any]:
    """Return a node as JSON."""
    return {
        "name": node.name,
        "operator": node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}",
        "inputs": list(node.input),
        "outputs": list(node.output),
        "attributes": {attribute.name: value_of(attribute) for attribute in node.attribute},
    }


def value_of(attribute: Any) -> Any:
    """Return an attribute as JSON; None for graphs, tensors and other types that no translator reads."""
    kind = attribute.type
    if kind == onnx.AttributeProto.FLOAT:
        # The file stores 1e-5 as the nearest float32. The intended number is the shortest decimal that rounds to it.
        return float(str(np.float32(attribute.f)))
    if kind == onnx.AttributeProto.INT:
        return attribute.i
    if kind == onnx.AttributeProto.STRING:
        return attribute.s.decode(errors="replace")
    if kind == onnx.AttributeProto.INTS:
        return list(attribute.ints)
    if kind == onnx.AttributeProto.FLOATS:
        return list(attribute.floats)
    if kind == onnx.AttributeProto.STRINGS:
        return [text.decode(errors="replace") for text in attribute.strings]
    return None
