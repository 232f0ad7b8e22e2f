"""Sampling: random inputs of a model and what onnx's reference implementation computes from them.

The service compares them with what the translated model computes: a file is never answered with other numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from app.models.formats.onnx.child.reference import CORRECTED
from app.models.formats.onnx.child.specialising import Array, Shape, Specialised

_OVER_FEATURES = ("Softmax", "LogSoftmax")
MOST_PRODUCTS = 2 * 10**9
"""Largest number of multiplications for which a sample is computed: some seconds."""


def sample(
    model: Any, nodes: Sequence[Any], known: Specialised, inputs: Sequence[Any], outputs: Sequence[str]
) -> tuple[dict[str, Array], str | None]:
    """Return the sample inputs as i0, i1, ... and the outputs as o0, o1, ...; or nothing, and why."""
    products = sum(_products(node, known) for node in known.nodes)
    if products > MOST_PRODUCTS:
        return {}, f"it takes {products:.2g} multiplications"
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.node[:], copy.graph.output[:]
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    for position, node in enumerate(nodes):
        copy.graph.node.extend(_all_named(meant, position) for meant in _as_meant(node, opset))
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    for least in (-math.inf, 0.1):  # Roots and logarithms take positive numbers.
        feeds = _feeds(inputs, known, least, _classes(nodes))
        try:
            results = ReferenceEvaluator(copy, new_ops=CORRECTED).run(None, feeds)
        except Exception as error:
            return {}, f"onnx's reference implementation fails: {type(error).__name__}"[:200]
        if not all(isinstance(result, (np.ndarray, np.generic)) for result in results):
            return {}, "its result is no array"
        found = [np.asarray(result) for result in results]
        if all(array.dtype.kind == "f" and array.size and np.isfinite(array).all() for array in found):
            wide = [array if array.dtype.itemsize > 2 else array.astype(np.float32) for array in feeds.values()]
            made = {f"o{position}": array.astype(np.float64) for position, array in enumerate(found)}
            return {f"i{position}": array for position, array in enumerate(wide)} | made, None
    return {}, "its result is not made of finite numbers"


def _classes(nodes: Sequence[Any]) -> set[str]:
    """Return the values that are read as integers, whatever their type."""
    return {
        node.input[0]
        for node in nodes
        if node.op_type == "Cast"
        and any(attribute.name == "to" and attribute.i in _INTEGERS for attribute in node.attribute)
    }


_INTEGERS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


def _feeds(inputs: Sequence[Any], known: Specialised, least: float, classes: set[str]) -> dict[str, Array]:
    """Return random inputs: integers 0 and 1, or real numbers, whose magnitude is used where a least one is given."""
    draw, feeds = np.random.Generator(np.random.PCG64(0)), {}
    for value in inputs:
        dtype, shape = onnx.helper.tensor_dtype_to_np_dtype(known.types[value.name]), known.shapes[value.name]
        if dtype.kind == "f" and value.name not in classes:
            numbers = draw.standard_normal(shape)
            feeds[value.name] = np.asarray(numbers if least < 0 else np.abs(numbers) + least).astype(dtype)
        else:
            feeds[value.name] = np.asarray(draw.integers(0, 2, shape)).astype(dtype)
    return feeds


def _as_meant(node: Any, opset: int) -> list[Any]:
    """Return nodes from which onnx's reference implementation computes what a node of an older operator set means."""
    if opset < 13 and node.op_type in _OVER_FEATURES:
        return _flattened(node)
    if opset < 14 and node.op_type == "BatchNormalization":
        return [_with_running_statistics(node, opset)]
    return [node]


def _all_named(node: Any, position: int) -> Any:
    """Return a node whose results all have names.

    The reference implementation (onnx 1.23) passes a result without a name to the next node that leaves an input out.
    """
    if all(node.output):
        return node
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.output[:] = [name or f"unread {position} {place}" for place, name in enumerate(node.output)]
    return copy


def _flattened(node: Any) -> list[Any]:
    """Return nodes for a softmax of an older operator set, which onnx's reference implementation reads as a newer one.

    All axes from the given one on are flattened to one, over which the softmax runs.
    """
    made = node.output[0]
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    return [
        onnx.helper.make_node("Flatten", [node.input[0]], [f"{made} flat"], axis=axis),
        onnx.helper.make_node(node.op_type, [f"{made} flat"], [f"{made} made"], axis=1),
        onnx.helper.make_node("Shape", [node.input[0]], [f"{made} shape"]),
        onnx.helper.make_node("Reshape", [f"{made} made", f"{made} shape"], [made]),
    ]


def _with_running_statistics(node: Any, opset: int) -> Any:
    """Return a batch normalisation that the reference implementation evaluates as outside of training.

    Without is_test it normalises by the batch before operator set 9, and from there on by a mean of both statistics.
    """
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    name, value = ("is_test", 1) if opset < 9 else ("momentum", 1.0)
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del copy.attribute[:]
    copy.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])
    return copy


def _products(node: Any, known: Specialised) -> float:
    """Return about how many multiplications a node takes."""
    made = _size(known.shapes.get(node.output[0], ()))
    if node.op_type in ("Conv", "ConvTranspose") and len(node.input) > 1 and node.input[1] in known.constants:
        weight = known.constants[node.input[1]]
        spread = _size(known.shapes.get(node.input[0], ())) if node.op_type == "ConvTranspose" else made
        return float(spread * weight.size / max(1, weight.shape[0]))
    if node.op_type in ("Gemm", "MatMul"):
        shape: Mapping[str, Shape] = known.shapes
        return made * (shape[node.input[0]][-1] if shape.get(node.input[0]) else 1)
    if node.op_type in ("LSTM", "GRU", "RNN"):
        steps = _size(known.shapes.get(node.input[0], ())[:2])
        return steps * sum(known.constants[name].size for name in node.input[1:3] if name in known.constants)
    return made


def _size(shape: Shape) -> float:
    return float(math.prod(shape))
