"""The activation functions that are layers in Keras."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.models.formats.keras.builder import Builder, Untranslatable, Value
from app.models.formats.keras.graph import KerasNode
from app.models.formats.keras.options import OVER_FEATURES, function_of, number, refuse_unless


def activation(builder: Builder, node: KerasNode) -> Value:
    """A function as a layer of its own."""
    (X,) = builder.inputs(node)
    return apply_function(builder, node.name, X, function_of(node))


def apply_function(builder: Builder, name: str, X: Value, function: str | dict[str, Any]) -> Value:
    """Add an activation function as a layer, and return its result. A softmax runs over the last axis of Keras."""
    if function in OVER_FEATURES:
        X = builder.plain(X)
    fields = {"function": function} if isinstance(function, str) else function
    builder.add(name, [X], "activation", **fields)
    return replace(X, name=name)


def relu(builder: Builder, node: KerasNode) -> Value:
    """With a slope it is leaky_relu."""
    (X,), slope = builder.inputs(node), number(node, "negative_slope", 0)
    refuse_unless(node, max_value=None, threshold=0.0)
    return apply_function(
        builder, node.name, X, {"function": "leaky_relu", "negative_slope": slope} if slope else "relu"
    )


def leaky_relu(builder: Builder, node: KerasNode) -> Value:
    """The slope was called alpha by Keras 2."""
    (X,) = builder.inputs(node)
    slope = number(node, "negative_slope" if "negative_slope" in node.config else "alpha", 0.3)
    return apply_function(builder, node.name, X, {"function": "leaky_relu", "negative_slope": slope})


def elu(builder: Builder, node: KerasNode) -> Value:
    """With its constant."""
    (X,) = builder.inputs(node)
    return apply_function(builder, node.name, X, {"function": "elu", "alpha": number(node, "alpha", 1)})


def softmax(builder: Builder, node: KerasNode) -> Value:
    """Over the last axis of Keras."""
    (X,), axis = builder.inputs(node), node.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, X.rank - 1):
        raise Untranslatable(f"its axis is {str(axis)[:40]}; only the last one has a counterpart")
    return apply_function(builder, node.name, X, "softmax")


def rescaling(builder: Builder, node: KerasNode) -> Value:
    """A factor is the gain of the identity."""
    (X,) = builder.inputs(node)
    refuse_unless(node, offset=0.0)
    return apply_function(builder, node.name, X, {"function": "identity", "gain": number(node, "scale", 1)})
