"""Functions of single elements, and those over the features."""

from __future__ import annotations

import math
from typing import Any

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable

_LARGEST = 3.4e38


def activate(builder: Builder, node: OnnxNode, function: dict[str, Any]) -> None:
    """Set the activation function of the preceding layer, or add an activation layer if other nodes read that layer."""
    name = builder.tensor(node, 0)
    layer = builder.alone(name)
    if layer is not None and "activation" not in layer and layer["kind"] not in ("activation", "dropout"):
        layer["activation"] = function if len(function) > 1 else function["function"]
        builder.merge(node, layer)
    else:
        builder.add(node, [name], {"kind": "activation", **function})


def function(name: str, **constants: tuple[str, float]) -> Translator:
    """Return the translator of an elementwise function.

    Args:
        name: the name of the activation function.
        constants: for each constant of the function, the attribute in ONNX and its default.
    """

    def translate(builder: Builder, node: OnnxNode) -> None:
        found = {ours: node.number(*theirs) for ours, theirs in constants.items()}
        activate(builder, node, {"function": name, **found})

    return translate


def elu(builder: Builder, node: OnnxNode) -> None:
    """Translate Elu, whose alpha is not negative here."""
    alpha = node.number("alpha", 1.0)
    if alpha < 0:
        raise Untranslatable(f"its alpha is {alpha:g}; elu takes numbers from 0 on")
    activate(builder, node, {"function": "elu", "alpha": alpha})


def selu(builder: Builder, node: OnnxNode) -> None:
    """Translate Selu with its standard constants, which are the defaults."""
    alpha, gamma = node.number("alpha", 1.6732632), node.number("gamma", 1.050701)
    if not math.isclose(alpha, 1.6732632423543772, rel_tol=1e-5) or not math.isclose(
        gamma, 1.0507009873554805, rel_tol=1e-5
    ):
        raise Untranslatable("its constants are not the standard ones of selu")
    activate(builder, node, {"function": "selu"})


def power(builder: Builder, node: OnnxNode) -> None:
    """Translate a power with a constant exponent."""
    exponent = builder.constant(node, 1)
    if exponent is None or exponent.size != 1:
        raise Untranslatable("its exponent is not a single number")
    if exponent.ndim > len(builder.shape(node, 0)):
        raise Untranslatable("its exponent has more axes than its input, and adds axes to it")
    number = float(exponent.reshape(-1)[0])
    activate(builder, node, {"function": "square"} if number == 2 else {"function": "power", "exponent": number})


def clip(builder: Builder, node: OnnxNode) -> None:
    """Translate Clip, whose bounds are inputs in newer operator sets and attributes in older ones."""
    bounds = {}
    for ours, theirs, position in (("lower", "min", 1), ("upper", "max", 2)):
        if theirs in node.attributes:
            bounds[ours] = node.number(theirs, 0.0)
        elif (found := builder.constant(node, position)) is not None:
            if found.size != 1:
                raise Untranslatable(f"its {theirs} is not a single number")
            bounds[ours] = float(found.reshape(-1)[0])
    within(builder, node, bounds)


def within(builder: Builder, node: OnnxNode, bounds: dict[str, float]) -> None:
    """Keep the first input of a node within bounds. Values of ±3.4e38 stand for no bound in older files."""
    if bounds == {"lower": 0.0}:
        activate(builder, node, {"function": "relu"})
        return
    kept = {name: bound for name, bound in bounds.items() if abs(bound) < _LARGEST}
    activate(builder, node, {"function": "clip", **kept}) if kept else builder.alias(node, builder.tensor(node, 0))


def prelu(builder: Builder, node: OnnxNode) -> None:
    """Translate PRelu with a constant slope."""
    slope = builder.weight(node, 1)
    rank = len(builder.shape(node, 0))
    if slope is None or slope.ndim > rank or builder.result_shape(node) != builder.shape(node, 0):
        raise Untranslatable("its slope is not a constant that keeps the shape of its input")
    if slope.ndim == rank and slope.shape[0] != 1:
        raise Untranslatable("its slope differs between examples")
    axes = [rank - slope.ndim + axis for axis, length in enumerate(slope.shape) if length > 1]
    parameter = slope.reshape([length for length in slope.shape if length > 1] or [1])
    spec = {"kind": "prelu", "axes": axes}
    builder.add(node, [builder.tensor(node, 0)], spec, {"negative_slope": parameter}, named_by=1)


def over_features(name: str) -> Translator:
    """Return the translator of softmax or log_softmax, which the layers apply along the last axis.

    From operator set 13 on, the axis is any one; before, all axes from the given one on are flattened to one.
    """

    def translate(builder: Builder, node: OnnxNode) -> None:
        shape = builder.shape(node, 0)
        rank = len(shape)
        axis = builder.axis(node, node.integer("axis", -1 if builder.graph.opset >= 13 else 1), rank)
        if axis == 0:
            raise Untranslatable("it runs over the examples")
        if axis == rank - 1:
            activate(builder, node, {"function": name})
        elif builder.graph.opset >= 13:
            order = [other for other in range(rank) if other != axis] + [axis]
            back = [order.index(position) for position in range(rank)]
            turned = _between(builder, node, builder.tensor(node, 0), {"kind": "transpose", "axes": order}, "turned")
            made = _between(builder, node, turned, {"kind": "activation", "function": name}, "made")
            builder.add(node, [made], {"kind": "transpose", "axes": back})
        elif axis == 1 and builder.keeps_examples(shape) and None not in shape[1:]:
            flat = _between(builder, node, builder.tensor(node, 0), {"kind": "flatten"}, "flat")
            made = _between(builder, node, flat, {"kind": "activation", "function": name}, "made")
            builder.add(node, [made], {"kind": "reshape", "shape": list(shape[1:])})
        else:
            raise Untranslatable(
                f"before operator set 13 it flattens the axes from {axis} on, and their lengths are open"
            )

    return translate


def _between(builder: Builder, node: OnnxNode, reads: str, spec: dict[str, Any], what: str) -> str:
    """Add a layer whose result is no value of the graph."""
    return builder.add(node, [reads], spec, output=f"{node.outputs[0]} {what}")
