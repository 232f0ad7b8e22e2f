"""Products with weights, and layers that combine tensors."""

from __future__ import annotations

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable, Write


def dense(writer: Writer, target: OnnxLayer) -> str:
    """Write a product with the weight, and the bias."""
    made = writer.node("MatMul", [target.reads[0], target.tensor(writer, "weight")])
    return writer.node("Add", [made, target.tensor(writer, "bias")]) if target.layer.bias else made


def pairs(operator: str) -> Write:
    """Return the writer of an operator that combines the tensors of a layer one after the other."""

    def write(writer: Writer, target: OnnxLayer) -> str:
        known = {rank for rank in target.ranks if rank is not None}
        if len(known) > 1 and operator != "MatMul":
            axes = " and ".join(map(str, sorted(known)))
            raise Unwritable(f"it reads tensors of {axes} axes, which do not all have the examples on the same one")
        made = target.reads[0]
        for other in target.reads[1:]:
            made = writer.node(operator, [made, other])
        return made

    return write


def embedding(writer: Writer, target: OnnxLayer) -> str:
    """Write Gather of the rows of the weight; the classes are whole numbers in the precision of the model."""
    classes = writer.node("Cast", target.reads, to=int(writer.onnx.TensorProto.INT64))
    return writer.node("Gather", [target.tensor(writer, "weight"), classes], axis=0)


def scale(writer: Writer, target: OnnxLayer) -> str:
    """Write a product with gamma and a sum with beta."""
    made, axes = target.reads[0], [-1] if target.layer.axes is None else target.layer.axes
    if target.layer.gamma:
        made = writer.node("Mul", [made, target.along(writer, "gamma", axes)])
    return writer.node("Add", [made, target.along(writer, "beta", axes)]) if target.layer.beta else made
