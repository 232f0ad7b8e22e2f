"""Reading: the graph of a model as JSON and arrays, with the shapes of its values and a sample of its results.

Every graph is specialised twice, for two numbers of examples and two lengths of every axis that the file leaves open. What
differs between the two depends on them: a length that is None in the result.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from app.models.formats.onnx.child.demands import demanded
from app.models.formats.onnx.child.parsing import RANK_LIMIT, Refused, array_of, node_of
from app.models.formats.onnx.child.sampling import sample
from app.models.formats.onnx.child.specialising import Array, Shape, Specialised, Unfit, specialise

EXAMPLES = (2, 3)
"""Numbers of examples for which a graph is specialised."""

LENGTHS = (24, 32)
"""Lengths of axes that the file leaves open."""

CANDIDATES = (28, *range(1, 65), 80, 96, 112, 128, 160, 192, 224, 227, 256, 299, 320, 384, 512)
"""Lengths that are tried where the graph fits no other ones."""

SECONDS_TO_SEARCH = 5

Inputs = dict[str, tuple[int, Shape]]


def read_graph(
    model: Any, shapes: Mapping[str, Sequence[int]], asked: Sequence[str]
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays of a model, and its graph as JSON.

    Args:
        model: the model.
        shapes: the shape of an example of each input, where the request gives it; under "" that of the only input.
        asked: the values to compute; if there are none, the outputs of the graph.

    Raises:
        Refused: if the graph cannot be specialised.
    """
    graph, opsets = model.graph, model.opset_import
    constants = {
        tensor.name: array for tensor in graph.initializer if (array := array_of(tensor.name, tensor)) is not None
    }
    unread = {tensor.name for tensor in graph.initializer} - constants.keys()
    inputs = [value for value in graph.input if value.name not in constants and value.name not in unread]
    outputs = list(dict.fromkeys(asked or [value.name for value in graph.output]))
    nodes = _needed(graph.node, outputs)
    computed = {name for node in nodes for name in node.output if name}
    for missing in (name for name in asked if name not in computed):
        nearby = ", ".join(repr(name[:60]) for node in graph.node[-10:] for name in node.output if name)
        raise Refused(f"No node of the graph computes {missing[:60]!r}. The last values that are computed: {nearby}.")
    used = {name for node in nodes for name in node.input} | set(outputs)
    inputs = [value for value in inputs if value.name in used]
    runs, examples = _specialise(nodes, opsets, constants, inputs, shapes)
    last = runs[-1]
    kept = {name for node in last.nodes for name in node.input} | set(outputs)
    kept &= last.constants.keys()
    arrays: dict[str, Array] = {}
    varying: dict[str, Any] = {}
    for name in sorted(kept):
        array = last.constants[name]
        if any(not _equal(run.constants.get(name), array) for run in runs):
            varying[name] = [_short(run.constants.get(name)) for run in runs]
            array = runs[0].constants[name]
        arrays[name] = _plain(array)
        _refuse_infinite(name, arrays[name])
    found = {
        "inputs": [value.name for value in inputs],
        "outputs": outputs,
        "nodes": [node_of(node) for node in last.nodes],
        "constants": {name: f"c{position}" for position, name in enumerate(arrays) if arrays[name].size},
        "integers": [name for name, array in arrays.items() if array.dtype.kind != "f"],
        "empty": [name for name, array in arrays.items() if not array.size],
        "varying": varying,
        "origins": {name: last.origins[name] for name in arrays if name in last.origins},
        "shapes": {name: _merged(name, runs, fixed=examples is not None) for name in last.shapes},
        "examples": examples,
        "opset": max((entry.version for entry in opsets if entry.domain in ("", "ai.onnx")), default=0),
    }
    tensors = {f"c{position}": array for position, array in enumerate(arrays.values()) if array.size}
    sampled, why = sample(model, nodes, runs[0], inputs, outputs)
    return {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in (tensors | sampled).items()}, {
        **found,
        "unsampled": why,
    }


def _needed(nodes: Sequence[Any], outputs: Sequence[str]) -> list[Any]:
    """Return the nodes that the outputs depend on, in order."""
    wanted, needed = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            needed.append(node)
    return needed[::-1]


def _specialise(
    nodes: Sequence[Any],
    opsets: Sequence[Any],
    constants: Mapping[str, Array],
    inputs: Sequence[Any],
    shapes: Mapping[str, Sequence[int]],
) -> tuple[list[Specialised], int | None]:
    """Return the specialised graphs, and the number of examples if the graph fixes it."""
    dims = {
        value.name: _dims(value, shapes.get(value.name, shapes.get("" if len(inputs) == 1 else value.name)))
        for value in inputs
    }
    for name, axes in dims.items():
        for axis, length in demanded(name, len(axes), nodes, constants).items():
            if not isinstance(axes[axis], int):
                dims[name] = [length if position == axis else dim for position, dim in enumerate(dims[name])]
    types = {value.name: value.type.tensor_type.elem_type for value in inputs}
    is_open = any(not isinstance(dim, int) for axes in dims.values() for dim in axes[1:])
    fixed = {axes[0] for axes in dims.values() if axes and isinstance(axes[0], int)}
    count = next(iter(fixed)) if len(fixed) == 1 else None
    first, found = None, None
    for counts, lengths in _attempts(count, is_open=is_open):
        try:
            runs = [
                specialise(nodes, opsets, constants, _inputs(dims, types, examples, length))
                for examples, length in zip(counts, lengths, strict=True)
            ]
        except Unfit as unfit:
            first = first or unfit
            continue
        made = runs, None if counts == EXAMPLES else count
        if not is_open or all(_keep_examples(run, examples) for run, examples in zip(runs, counts, strict=True)):
            return made
        found = found or made
    if found is None and len(fixed) > 1:
        shown = ", ".join(f"{name[:40]!r} {axes[0]}" for name, axes in dims.items() if axes)
        raise Refused(f"The first axes of the inputs do not count the same examples: {shown[:300]}. {first}")
    if found is None:
        raise Refused(f"{str(first).rstrip('.')}. {_advice(dims) if is_open else ''}".strip())
    return found


def _attempts(count: int | None, *, is_open: bool) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield numbers of examples, and lengths of the open axes, for which a graph is specialised until they fit.

    Args:
        count: the number of examples in the file, if it has one.
        is_open: whether the file leaves lengths open.
    """
    every: list[tuple[int, ...]] = [EXAMPLES] if count is None else [EXAMPLES, (count, count)]
    yield from ((counts, LENGTHS) for counts in every)
    if not is_open:
        return
    start = time.process_time()
    for length in CANDIDATES:
        if time.process_time() - start > SECONDS_TO_SEARCH:
            return
        yield from ((counts, (length, length)) for counts in every)


def _keep_examples(run: Specialised, examples: int) -> bool:
    """Return whether the first axis of every result counts the examples."""
    shapes = [run.shapes.get(name) for node in run.nodes for name in node.output]
    return all(shape[:1] == (examples,) for shape in shapes if shape is not None)


def _advice(dims: Mapping[str, Sequence[int | str]]) -> str:
    """Return the advice to give the lengths that a file leaves open."""
    names = ", ".join(
        f"{name!r} {[dim if isinstance(dim, int) else '?' for dim in axes]}" for name, axes in dims.items()
    )
    return (
        f"The file leaves lengths of its inputs open: {names[:300]}. Send ?input_shape= with those of one example, such as "
        "?input_shape=3,32,32."
    )


def _dims(value: Any, asked: Sequence[int] | None) -> list[int | str]:
    """Return the axes of an input: lengths, or the names of those that are open.

    Raises:
        Refused: if nothing is known of its shape.
    """
    tensor = value.type.tensor_type
    if asked is not None:
        batch = tensor.shape.dim[0] if tensor.HasField("shape") and tensor.shape.dim else None
        fixed = batch.dim_value if batch is not None and batch.dim_value > 0 else "examples"
        return [fixed, *asked]
    if not tensor.HasField("shape"):
        raise Refused(
            f"The file does not say how many axes its input {value.name[:60]!r} has. Send ?input_shape= with the lengths "
            "of one example, such as ?input_shape=3,32,32."
        )
    return [
        dim.dim_value if dim.dim_value > 0 else (dim.dim_param or f"{value.name} {position}")
        for position, dim in enumerate(tensor.shape.dim)
    ]


def _inputs(dims: Mapping[str, Sequence[int | str]], types: Mapping[str, int], count: int, length: int) -> Inputs:
    """Return the type and shape of each input for a number of examples and a length of the open axes."""
    examples = {axes[0] for axes in dims.values() if axes and isinstance(axes[0], str)}
    return {
        name: (
            types[name],
            tuple(
                count if position == 0 or dim in examples else dim if isinstance(dim, int) else length
                for position, dim in enumerate(axes)
            ),
        )
        for name, axes in dims.items()
    }


def _merged(name: str, runs: Sequence[Specialised], *, fixed: bool) -> list[int | None] | None:
    """Return the shape of a value: None where its number of axes is not known.

    A length that differs between the runs is None; at the first axis that is the number of examples, and any other length
    that differs is -1.
    """
    found = [run.shapes.get(name) for run in runs]
    shapes = [shape for shape in found if shape is not None]
    if len(shapes) < len(runs) or len({len(shape) for shape in shapes}) > 1:
        return None
    merged = [lengths[0] if len(set(lengths)) == 1 else None for lengths in zip(*shapes, strict=True)]
    if merged and merged[0] is None and (fixed or tuple(shape[0] for shape in shapes) != EXAMPLES):
        merged[0] = -1
    return merged


def _equal(one: Array | None, other: Array) -> bool:
    return (
        one is not None
        and one.shape == other.shape
        and one.dtype == other.dtype
        and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    )


def _short(array: Array | None) -> list[int] | None:
    """Return a short vector of integers as JSON, None for anything else."""
    if array is None or array.dtype.kind not in "iu" or array.ndim > 1 or array.size > RANK_LIMIT:
        return None
    return [int(value) for value in array.reshape(-1)]


def _refuse_infinite(name: str, array: Array) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        index = [int(position) for position in np.argwhere(~np.isfinite(array))[0]]
        place = f" at {index}" if index else ""
        raise Refused(f"The constant {name[:60]!r} is {array[tuple(index)]}{place}; only finite numbers are accepted.")


def _plain(array: Array) -> Array:
    """Return an array in a type that the service reads."""
    plain = ("float32", "float64", "int64", "int32", "bool")
    return array if array.dtype.name in plain else array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
