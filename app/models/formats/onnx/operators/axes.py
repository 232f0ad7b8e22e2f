"""Operators that arrange, join or divide axes. The first axis counts the examples and stays."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from app.models.formats.onnx.file import Lengths
from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.views import Axis, View


def arrange(builder: Builder, node: OnnxNode) -> None:
    """Translate Reshape, Flatten, Squeeze and Unsqueeze: the same elements, in order, in another shape."""
    before, after = builder.shape(node, 0), builder.result_shape(node)
    is_view = node.inputs[0] in builder.views
    if builder.graph.examples is not None and node.operator == "Reshape":
        builder.warn_of_batch(node, builder.graph.examples)
    if is_view or not builder.keeps_examples(before, after):
        _arrange_view(builder, node, before, after)
        return
    reads = builder.tensor(node, 0)
    if before == after and None not in after[1:]:
        builder.alias(node, reads)
        return
    open_lengths = after[1:].count(None)
    if len(after) == 2:
        spec: dict[str, Any] = {"kind": "flatten"}
    elif len(after) == 1 and set(before[1:]) == {1}:
        # Only a sum gives a single number for each example; it has one summand.
        spec = {"kind": "reduce_sum", "axis": list(range(1, len(before))), "keep_axis": False}
    elif open_lengths <= 1 and len(after) > 1:
        spec = {"kind": "reshape", "shape": [-1 if length is None else length for length in after[1:]]}
    else:
        raise Untranslatable(f"its result has the shape {_text(after)}, in which several lengths are open")
    builder.add(node, [reads], spec)


def _arrange_view(builder: Builder, node: OnnxNode, before: Lengths, after: Lengths) -> None:
    """Rearrange a value whose examples are, or come to be, elsewhere than on the first axis."""
    try:
        view = builder.view(node.inputs[0])
        if node.operator == "Squeeze":
            given = builder.integers(node, 1, "axes")
            every = range(len(before)) if given is None else [builder.axis(node, axis, len(before)) for axis in given]
            for axis in sorted(every, reverse=True):
                view = view.without(axis) if given is not None or before[axis] == 1 else view
        elif node.operator == "Unsqueeze":
            given = builder.integers(node, 1, "axes") or []
            for axis in sorted(builder.axis(node, axis, len(after)) for axis in given):
                view = replace(view, axes=(*view.axes[:axis], (), *view.axes[axis:]))
        else:
            view = view.reshaped(after, kept=_kept(builder, node))
    except Untranslatable as error:
        shapes = f"{_text(before)} becomes {_text(after)}"
        raise Untranslatable(f"it does not keep the axis of the examples: {shapes} ({error})") from None
    builder.show(node, view)


def _kept(builder: Builder, node: OnnxNode) -> int:
    """Return how many leading axes a Reshape keeps by the number 0 in its shape, whatever their lengths."""
    shape = builder.constants.get(node.inputs[1]) if node.operator == "Reshape" and len(node.inputs) > 1 else None
    if shape is None or node.inputs[1] in builder.graph.varying or node.attributes.get("allowzero"):
        return 0
    return next((position for position, length in enumerate(shape.reshape(-1)) if length != 0), shape.size)


def transpose(builder: Builder, node: OnnxNode) -> None:
    """Translate a permutation of the axes."""
    rank = len(builder.shape(node, 0))
    order = node.integers("perm", list(range(rank))[::-1])
    if sorted(order) != list(range(rank)):
        raise Untranslatable(f"its perm {order[:8]} is no order of the {rank} axes of its input")
    is_view = node.inputs[0] in builder.views
    if not is_view and order != list(range(rank)) and (order[0] == 0 or rank == 2):
        spec = {"kind": "transpose"} if order == [1, 0] else {"kind": "transpose", "axes": order}
        builder.add(node, [builder.tensor(node, 0)], spec)
    else:
        builder.show(node, builder.view(node.inputs[0]).permuted(order))


def _text(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("?" if length is None else str(length) for length in shape) + "]"


def concatenate(builder: Builder, node: OnnxNode) -> None:
    """Translate the concatenation of tensors."""
    reads = [builder.tensor(node, position) for position in range(len(node.inputs))]
    axis = builder.axis(node, node.integer("axis", 1), len(builder.shape(node, 0)))
    if len(reads) == 1:
        builder.alias(node, reads[0])
    elif axis == 0:
        raise Untranslatable("it joins examples")
    else:
        builder.add(node, reads, {"kind": "concatenate", "axis": axis})


def slices(builder: Builder, node: OnnxNode) -> None:
    """Translate Slice, one layer for each axis along which it chooses."""
    shape = builder.shape(node, 0)
    starts, stops = builder.integers(node, 1, "starts"), builder.integers(node, 2, "ends")
    axes, steps = builder.integers(node, 3, "axes"), builder.integers(node, 4, "steps")
    if starts is None or stops is None or len(starts) != len(stops):
        raise Untranslatable("its starts and ends are not stated")
    along = [builder.axis(node, axis, len(shape)) for axis in (range(len(starts)) if axes is None else axes)]
    every = steps or [1] * len(starts)
    if not len(along) == len(every) == len(starts) or 0 in every:
        raise Untranslatable("its starts, ends, axes and steps are not as many")
    specs = []
    for axis, start, stop, step in zip(along, starts, stops, every, strict=True):
        length = shape[axis]
        whole = step == 1 and start == 0 and stop >= (_FAR if length is None else length)
        if not whole:
            specs.append({"kind": "slice", "axis": axis, "start": start, **_stop(stop, step, length), "step": step})
    if any(spec["axis"] == 0 for spec in specs):
        raise Untranslatable("it chooses examples")
    _chain(builder, node, builder.tensor(node, 0), specs)


_FAR = 2**31 - 1
"""The position from which on an end means that of the axis."""


def _stop(stop: int, step: int, length: int | None) -> dict[str, int]:
    """Return the end of a range; none where it is that of the axis."""
    if step > 0:
        return {} if stop >= (_FAR if length is None else length) else {"stop": stop}
    return {} if stop <= (-_FAR if length is None else -length - 1) else {"stop": stop}


def _chain(builder: Builder, node: OnnxNode, reads: str, specs: list[dict[str, Any]]) -> None:
    """Add layers one after the other; the last one computes the output of the node."""
    if not specs:
        builder.alias(node, reads)
        return
    for position, spec in enumerate(specs[:-1]):
        reads = builder.add(node, [reads], spec, output=f"{node.outputs[0]} part {position}")
    builder.add(node, [reads], specs[-1])


def gather(builder: Builder, node: OnnxNode) -> None:
    """Translate Gather: of rows of a constant matrix to an embedding, of one constant position to a slice."""
    if not builder.is_tensor(node, 0):
        embedding(builder, node)
        return
    shape = builder.shape(node, 0)
    index, axis = builder.constant(node, 1), builder.axis(node, node.integer("axis", 0), len(shape))
    if index is None or index.size != 1 or index.ndim > 1:
        raise Untranslatable("it chooses several positions")
    start = int(index.reshape(-1)[0])
    if index.ndim == 0 and node.inputs[0] in builder.views:
        _choose(builder, node, axis, start)
        return
    if axis == 0:
        raise Untranslatable("it chooses an example")
    spec = {"kind": "slice", "axis": axis, "start": start, "keep_axis": index.ndim == 1}
    stop = {} if start == -1 else {"stop": start + 1}
    builder.add(node, [builder.tensor(node, 0)], spec | stop)


def _choose(builder: Builder, node: OnnxNode, axis: int, index: int) -> None:
    """Choose one position along an axis of a view, by a slice of the layer."""
    view = builder.view(node.inputs[0])
    if not view.axes[axis]:
        builder.show(node, view.without(axis))
        return
    (chosen,) = view.axes[axis] if len(view.axes[axis]) == 1 else (None,)
    if chosen is None or chosen.is_examples or chosen.length is None:
        raise Untranslatable("it chooses along an axis that joins several, or that is open")
    index %= chosen.length
    place, whole = next((place, whole) for place, whole in enumerate(view.source) if chosen in whole)
    spec: dict[str, Any] = {"kind": "slice", "axis": place, "start": index, "stop": index + 1, "keep_axis": False}
    left: list[Axis] = []
    if len(whole) > 1:
        size = prod(atom.length or 0 for atom in whole[1:])
        if whole[0] is not chosen or not size:
            raise Untranslatable("it chooses along an axis that is not the first of those that a layer joins")
        spec = {"kind": "slice", "axis": place, "start": index * size, "stop": (index + 1) * size}
        left = [whole[1:]]
    layer = builder.add(node, [view.layer], spec, output=f"{node.outputs[0]} chosen")
    source = (*view.source[:place], *left, *view.source[place + 1 :])
    builder.show(node, View(layer, source, (*view.axes[:axis], *view.axes[axis + 1 :])))


def split(builder: Builder, node: OnnxNode) -> None:
    """Translate Split to a slice for each output that is read."""
    shape = builder.shape(node, 0)
    axis = builder.axis(node, node.integer("axis", 0), len(shape))
    if axis == 0:
        raise Untranslatable("it divides the examples")
    start = 0
    for output in node.outputs:
        made = builder.graph.shapes.get(output)
        length = None if made is None else made[axis]
        if length is None:
            raise Untranslatable("the lengths of its parts are open; send ?input_shape=")
        spec = {"kind": "slice", "axis": axis, "start": start, "stop": start + length}
        if builder.readers[output]:
            builder.add(node, [builder.tensor(node, 0)], spec, output=output)
        start += length


def embedding(builder: Builder, node: OnnxNode) -> None:
    """Translate Gather of the rows of a constant matrix, by computed indices, to an embedding."""
    if not builder.is_tensor(node, 1):
        raise Untranslatable("it takes constant positions")
    weight = builder.weight(node, 0)
    if weight is None or weight.ndim != 2 or builder.axis(node, node.integer("axis", 0), 2) != 0:
        raise Untranslatable("it takes no rows of a constant matrix")
    spec = {"kind": "embedding", "vocabulary_size": weight.shape[0], "units": weight.shape[1]}
    builder.add(node, [builder.tensor(node, 1)], spec, {"weight": weight}, named_by=0)
