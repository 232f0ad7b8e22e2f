"""Specialising: the shapes of all values of a graph for given inputs, and the values that depend on no input's elements.

Nodes are visited in order. A node whose inputs are known constants is evaluated by onnx's reference implementation, and so
are Shape and Size of a value whose shape is known; of every other node the shape of the result is inferred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from app.models.formats.onnx.child.parsing import RANK_LIMIT

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

LONGEST_HINT = 10_000
"""Largest number of elements of a constant whose elements shape inference may need."""

_WITH_GRAPHS = ("If", "Loop", "Scan")
_RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli")


class Unfit(Exception):
    """A node does not fit the shapes that it receives."""

    def __init__(self, node: Any, why: str) -> None:
        super().__init__(f"{node.op_type[:60]} ({(node.name or node.output[0])[:60]!r}): {why.strip()[:300]}")


@dataclass
class Specialised:
    """A graph for inputs of given shapes."""

    shapes: dict[str, Shape]
    types: dict[str, int]
    constants: dict[str, Array]
    """The constants of the file, and those that were evaluated."""

    origins: dict[str, str] = field(default_factory=dict)
    """The largest constant of real numbers from which another one was computed."""

    nodes: list[Any] = field(default_factory=list)
    """The nodes whose results depend on elements of an input."""


def specialise(
    nodes: Sequence[Any], opsets: Sequence[Any], constants: Mapping[str, Array], inputs: Mapping[str, tuple[int, Shape]]
) -> Specialised:
    """Return the graph for inputs of these element types and shapes.

    Raises:
        Unfit: if a node does not fit.
    """
    known = Specialised(
        {name: shape for name, (_, shape) in inputs.items()},
        {name: kind for name, (kind, _) in inputs.items()},
        dict(constants),
    )
    for node in nodes:
        reads = [name for name in node.input if name]
        if node.op_type in ("Shape", "Size") and reads and reads[0] in known.shapes:
            _measure(node, known)
        elif node.op_type not in (*_WITH_GRAPHS, *_RANDOM) and all(name in known.constants for name in reads):
            _evaluate(node, opsets, known)
        else:
            known.nodes.append(node)
            _infer(node, opsets, known)
    return known


def _measure(node: Any, known: Specialised) -> None:
    """Evaluate Shape or Size of a value that is not constant."""
    shape = known.shapes[node.input[0]]
    if node.op_type == "Size":
        known.constants[node.output[0]] = np.array(int(np.prod(shape)), np.int64)
        return
    ends = {attribute.name: attribute.i for attribute in node.attribute}
    known.constants[node.output[0]] = np.array(shape[ends.get("start", 0) : ends.get("end", len(shape))], np.int64)


def _evaluate(node: Any, opsets: Sequence[Any], known: Specialised) -> None:
    """Evaluate a node whose inputs are constants."""
    reads = {name: known.constants[name] for name in node.input if name}
    typed = [helper.make_tensor_value_info(name, _type_of(array), array.shape) for name, array in reads.items()]
    made = [name for name in node.output if name]
    model = _model([node], opsets, typed, made)
    try:
        results = ReferenceEvaluator(model).run(None, reads)
    except MemoryError:
        raise
    except Exception as error:
        raise Unfit(node, f"it cannot be evaluated: {error}") from None
    if not all(isinstance(result, (np.ndarray, np.generic)) for result in results):
        known.nodes.append(node)  # A sequence or an optional value: no layer reads it.
        return
    largest = max(reads.items(), key=lambda entry: entry[1].size, default=None)
    if largest and largest[1].dtype.kind == "f":
        known.origins |= {name: known.origins.get(largest[0], largest[0]) for name in made}
    known.constants |= {name: np.asarray(result) for name, result in zip(made, results, strict=True)}


def _infer(node: Any, opsets: Sequence[Any], known: Specialised) -> None:
    """Infer the shapes of the results of a node, as far as they follow from its inputs."""
    reads = [name for name in dict.fromkeys(node.input) if name]
    hints, typed = [], []
    for name in reads:
        if name in known.constants:
            array = known.constants[name]
            typed.append(helper.make_tensor_value_info(name, _type_of(array), array.shape))
            if array.size <= (LONGEST_HINT if array.dtype.kind in "iub" else RANK_LIMIT):
                hints.append(numpy_helper.from_array(array, name))
        elif name in known.shapes:
            typed.append(helper.make_tensor_value_info(name, known.types[name], known.shapes[name]))
        else:
            return  # Computed by a node of which nothing is known; the translator refuses that one.
    made = [name for name in node.output if name]
    try:
        inferred = shape_inference.infer_shapes(_model([node], opsets, typed, made, hints), True, True, True)
    except shape_inference.InferenceError as error:
        raise Unfit(node, str(error).rpartition("] ")[2] or str(error)) from None
    if node.domain == "ai.onnx.ml" and node.op_type == "Scaler" and node.input[0] in known.shapes:
        # onnx infers nothing for it.
        known.shapes[made[0]], known.types[made[0]] = known.shapes[node.input[0]], onnx.TensorProto.FLOAT
    for value in inferred.graph.output:
        shape = value.type.tensor_type
        if shape.HasField("shape") and all(dim.HasField("dim_value") for dim in shape.shape.dim):
            known.shapes[value.name] = tuple(dim.dim_value for dim in shape.shape.dim)
            known.types[value.name] = shape.elem_type
    if node.op_type == "GroupNormalization" and made[0] not in known.shapes and reads[0] in known.shapes:
        # It is a function, which the inference does not look into.
        known.shapes[made[0]], known.types[made[0]] = known.shapes[reads[0]], known.types[reads[0]]
    _refuse_lost_elements(node, known)


def _refuse_lost_elements(node: Any, known: Specialised) -> None:
    """Refuse a Reshape to another number of elements, which inference accepts where all lengths are stated.

    Raises:
        Unfit: if it is one, as a Reshape that states two examples is for three.
    """
    before, after = known.shapes.get(node.input[0]), known.shapes.get(node.output[0])
    if node.op_type == "Reshape" and before is not None and after is not None and prod(before) != prod(after):
        raise Unfit(node, f"its input of shape {list(before)} has no shape {list(after)}")


def _model(
    nodes: Sequence[Any],
    opsets: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[str],
    hints: Sequence[Any] = (),
) -> Any:
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(list(nodes), "part", list(inputs), results, list(hints))
    return helper.make_model(graph, opset_imports=list(opsets))


def _type_of(array: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))
