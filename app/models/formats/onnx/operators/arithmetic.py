"""Sums, differences, products and quotients: of two tensors, or of a tensor and a constant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from core.arrays import Array

NAMES_OF_PARAMETERS = (".weight", ".bias", ".gamma", ".beta")
"""Ends of the names of constants that are trained, as exporters name them after their modules."""


def add(builder: Builder, node: OnnxNode) -> None:
    """Translate a sum. A constant becomes the bias of the layer before, where it fits."""
    tensors = _tensors(builder, node)
    if len(tensors) == len(node.inputs):
        _join(builder, node, "add")
        return
    if len(node.inputs) != 2 or len(tensors) != 1:
        raise Untranslatable("it adds several constants")
    _shift(builder, node, tensors[0], _operand(builder, node, 1 - tensors[0]))


def subtract(builder: Builder, node: OnnxNode) -> None:
    """Translate a difference."""
    tensors = _tensors(builder, node)
    if len(tensors) == 2:
        _join(builder, node, "subtract")
    elif tensors == [0]:
        _shift(builder, node, 0, -_operand(builder, node, 1))
    elif tensors == [1]:
        constant, made = _operand(builder, node, 0), f"{node.outputs[0]} negated"
        builder.add(node, [builder.tensor(node, 1)], {"kind": "activation", "function": "negate"}, output=made)
        builder.shapes[made] = builder.shape(node, 1)
        _affine(builder, replace(node, inputs=[node.inputs[0], made]), 1, "beta", constant)
    else:
        raise Untranslatable("both of its operands are constants")


def multiply(builder: Builder, node: OnnxNode) -> None:
    """Translate a product, element by element."""
    tensors = _tensors(builder, node)
    if len(tensors) == 2:
        _join(builder, node, "multiply")
    else:
        (position,) = tensors or [0]
        _scale(builder, node, position, _operand(builder, node, 1 - position))


def divide(builder: Builder, node: OnnxNode) -> None:
    """Translate a quotient with a constant divisor."""
    if _tensors(builder, node) != [0]:
        raise Untranslatable("its divisor is not constant")
    divisor = _operand(builder, node, 1)
    if not divisor.all():
        raise Untranslatable("a number of its divisor is 0")
    _scale(builder, node, 0, 1 / divisor.astype(np.float64))


def _tensors(builder: Builder, node: OnnxNode) -> list[int]:
    """Return the positions of the operands that are computed."""
    return [position for position in range(len(node.inputs)) if builder.is_tensor(node, position)]


def _join(builder: Builder, node: OnnxNode, kind: str) -> None:
    """Add the layer that joins tensors with the same number of axes."""
    positions = range(len(node.inputs))
    shapes = [builder.shape(node, position) for position in positions]
    reads = [builder.tensor(node, position) for position in positions]
    if len(set(map(len, shapes))) > 1:
        raise Untranslatable(f"its operands have {' and '.join(str(len(shape)) for shape in shapes[:8])} axes")
    if not builder.keeps_examples(*shapes):
        raise Untranslatable("the first axes of its operands do not both count the examples")
    if node.operator == "Sum" and len(reads) == 1:
        builder.alias(node, reads[0])
    else:
        builder.add(node, reads, {"kind": kind})


def _operand(builder: Builder, node: OnnxNode, position: int) -> Array:
    """Return a constant operand with as many axes as the tensor has, or fewer, to be aligned at the last one.

    Raises:
        Untranslatable: if it changes the shape of the tensor, or differs between examples.
    """
    constant = builder.weight(node, position)
    if constant is None:
        raise Untranslatable("an operand is missing")
    shape = builder.shape(node, 1 - position)
    if "axis" in node.attributes and builder.graph.opset < 7:
        # An older form: the operand is aligned at that axis, and ones are appended.
        trailing = len(shape) - builder.axis(node, node.integer("axis", 0), len(shape)) - constant.ndim
        if trailing < 0 or not node.integer("broadcast", 0):
            raise Untranslatable("its axis does not fit its second operand")
        constant = constant.reshape(*constant.shape, *[1] * trailing)
    if builder.result_shape(node) != shape or constant.ndim > len(shape):
        raise Untranslatable(
            f"its constant of shape {list(constant.shape)} changes the shape of the tensor that it is combined with"
        )
    if constant.ndim == len(shape):
        if constant.shape[:1] != (1,):
            raise Untranslatable("its constant has another number for each example")
        constant = constant[0]
    return constant


def _shift(builder: Builder, node: OnnxNode, position: int, constant: Array) -> None:
    """Add a constant: as the bias of a layer that has none, or by a layer of its own."""
    name = builder.tensor(node, position)
    layer = builder.alone(name)
    if layer is not None and layer.get("bias") is False and "activation" not in layer:
        bias = _as_bias(layer, constant, len(builder.shape(node, position)))
        if bias is not None:
            layer["bias"] = True
            builder.parameters[name]["bias"] = bias
            builder.merge(node, layer)
            return
    if not constant.any():
        builder.alias(node, name)
        return
    _affine(builder, node, position, "beta", constant)


def _as_bias(layer: dict[str, Any], constant: Array, rank: int) -> Array | None:
    """Return a constant as the bias of a layer: a number for each unit of the last axis, or for each filter of axis 1."""
    is_dense = layer["kind"] == "dense"
    units = layer["units"] if is_dense else layer["filters"]
    of_units = constant.shape == (units,) if is_dense else constant.shape == (units, *[1] * (rank - 2))
    return constant.reshape(-1) if of_units or constant.size == units == 1 else None


def _scale(builder: Builder, node: OnnxNode, position: int, constant: Array) -> None:
    """Multiply by a constant: by the gain of an identity for a single number, or by a layer of its own."""
    if constant.size != 1:
        _affine(builder, node, position, "gamma", constant)
        return
    gain = {"kind": "activation", "function": "identity", "gain": float(constant.reshape(-1)[0])}
    builder.add(node, [builder.tensor(node, position)], gain)


def _affine(builder: Builder, node: OnnxNode, position: int, name: str, constant: Array) -> None:
    """Add the layer that multiplies by `gamma` or adds `beta`, along the axes in which the constant varies."""
    first = len(builder.shape(node, position)) - constant.ndim
    axes = [first + axis for axis, length in enumerate(constant.shape) if length > 1]
    spec = {"kind": "scale", "axes": axes, "gamma": name == "gamma", "beta": name == "beta"}
    parameter = constant.reshape([length for length in constant.shape if length > 1] or [1])
    layer = builder.add(node, [builder.tensor(node, position)], spec, {name: parameter}, named_by=1 - position)
    if not node.inputs[1 - position].endswith(NAMES_OF_PARAMETERS):
        builder.fixed.append(f"{layer}.{name}")
