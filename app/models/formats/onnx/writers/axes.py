"""Layers that arrange, choose or reduce axes."""

from __future__ import annotations

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable, Write

FAR = 2**63 - 1
"""The end of a range that runs to the end of its axis; its negative is the end of one that runs backwards to the start."""


def flatten(writer: Writer, target: OnnxLayer) -> str:
    """Write Flatten. A scan by columns exchanges the last two axes before."""
    reads = target.reads[0]
    if target.layer.order != "row_major":
        reads = writer.node("Transpose", [reads], perm=_exchanged(target.rank))
    return writer.node("Flatten", [reads], axis=1)


def reshape(writer: Writer, target: OnnxLayer) -> str:
    """Write Reshape; 0 keeps the examples."""
    return writer.node("Reshape", [target.reads[0], writer.integers([0, *target.layer.shape])])


def concatenate(writer: Writer, target: OnnxLayer) -> str:
    """Write Concat."""
    axis = 1 if target.layer.axis is None else target.axis(target.layer.axis)
    return writer.node("Concat", target.reads, axis=axis)


def transpose(writer: Writer, target: OnnxLayer) -> str:
    """Write Transpose."""
    order = _exchanged(target.rank) if target.layer.axes is None else list(target.layer.axes)
    if order[0] != 0 and order != [1, 0]:
        raise Unwritable("it moves the axis of the examples, and a file has a result for each example")
    return writer.node("Transpose", [target.reads[0]], perm=order)


def _exchanged(rank: int) -> list[int]:
    """Return the order of axes in which the last two are exchanged."""
    return [*range(rank - 2), rank - 1, rank - 2] if rank > 1 else [0]


def slices(writer: Writer, target: OnnxLayer) -> str:
    """Write Slice, or Gather of one position where the axis is removed."""
    layer, reads = target.layer, target.reads[0]
    axis = 1 if layer.axis is None else target.axis(layer.axis)
    if not layer.keep_axis:
        return writer.node("Gather", [reads, writer.integer(layer.start)], axis=axis)
    end = (FAR if layer.step > 0 else -FAR) if layer.stop is None else layer.stop
    return writer.node("Slice", [reads, *(writer.integers([each]) for each in (layer.start, end, axis, layer.step))])


def reduction(operator: str) -> Write:
    """Return the writer of a reduction."""

    def write(writer: Writer, target: OnnxLayer) -> str:
        axis = target.layer.axis
        if axis is None and target.ranks[0] is None and not target.layer.keep_axis:
            flat = writer.node("Flatten", [target.reads[0]], axis=1)
            return writer.node(operator, [flat, writer.integers([1])], keepdims=0)
        asked = [axis] if isinstance(axis, int) else list(range(1, target.rank)) if axis is None else list(axis)
        if not asked:
            return target.reads[0]
        axes = writer.integers([target.axis(each) for each in asked])
        return writer.node(operator, [target.reads[0], axes], keepdims=int(target.layer.keep_axis))

    return write
