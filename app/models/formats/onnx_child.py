"""Parse an ONNX file in a process of its own, with limits of memory and time, and write its contents as safetensors.

`onnx_file.py` runs this file as a script; it imports nothing of the service. The model is parsed from its bytes only:
no other file is opened, even if the model names one.

stdin     the model
stdout    safetensors: the constants as c0, c1, ...; metadata `graph` as JSON, or `refusal`, a sentence
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
from typing import Any

import numpy as np
import safetensors.numpy

MOST_NODES = 20_000
MOST_CONSTANTS = 5_000
RANK_LIMIT = 8
SECONDS = 20
ROOM = 2 * 2**30
"""Bytes of address space in addition to the part that is proportional to the size of the file."""


class Refused(Exception):
    """The file cannot be read; the message says why."""


def main() -> None:
    """Read the model from stdin and write its contents to stdout."""
    body = sys.stdin.buffer.read()
    _limit(len(body))
    try:
        tensors, graph = parse_model(body)
        content = safetensors.numpy.save(tensors, {"graph": json.dumps(graph)})
    except Refused as refused:
        content = safetensors.numpy.save({}, {"refusal": str(refused)[:1000]})
    sys.stdout.buffer.write(content)


def _limit(size: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limits.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ROOM + 8 * size, ROOM + 8 * size))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def parse_model(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constants of a model, and its graph."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

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
    constants = Constants()
    for tensor in graph.initializer:
        constants.add(tensor.name, tensor)
    nodes = [
        _node(node, constants) for node in graph.node if node.op_type != "Constant" or not _constant(node, constants)
    ]
    inputs = [value.name for value in graph.input if value.name not in constants.names]
    return constants.arrays, {
        "inputs": inputs,
        "outputs": [value.name for value in graph.output],
        "nodes": nodes,
        "constants": constants.names,
        "opset": max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0),
    }


class Constants:
    """Arrays under short names. The names in the file can be arbitrary, so they are only kept in a map."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.names: dict[str, str] = {}

    def add(self, name: str, tensor: Any) -> None:
        """Add a tensor of the file."""
        array = _array(name, tensor)
        if array is not None:
            self.keep(name, array)

    def keep(self, name: str, array: Any) -> None:
        """Add an array."""
        short = f"c{len(self.arrays)}"
        self.names[name] = short
        self.arrays[short] = np.ascontiguousarray(array).reshape(array.shape)


def _array(name: str, tensor: Any) -> Any:
    """Return a tensor as an array; None if it is not numeric or is empty.

    The size is checked before memory is allocated.
    """
    import onnx
    from onnx import numpy_helper

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


def _constant(node: Any, constants: Constants) -> bool:
    """Add the value of a node if it is a constant. Returns whether it was added."""
    for attribute in node.attribute:
        name = node.output[0]
        if attribute.name == "value":
            constants.add(name, attribute.t)
        elif attribute.name in ("value_float", "value_int"):
            constants.keep(name, np.array(attribute.f if attribute.name == "value_float" else attribute.i))
        elif attribute.name in ("value_floats", "value_ints"):
            values = attribute.floats if attribute.name == "value_floats" else attribute.ints
            if len(values):
                constants.keep(name, np.array(list(values)))
        return name in constants.names
    return False


def _node(node: Any, constants: Constants) -> dict[str, Any]:
    return {
        "name": node.name,
        "operator": node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}",
        "inputs": list(node.input),
        "outputs": list(node.output),
        "attributes": {attribute.name: _value(attribute) for attribute in node.attribute},
    }


def _value(attribute: Any) -> Any:
    """Return an attribute as JSON; None for graphs and other types that no supported operator uses."""
    import onnx

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
    return None


if __name__ == "__main__":
    main()
