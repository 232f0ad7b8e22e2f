"""Normalisations."""

from __future__ import annotations

import numpy as np

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from core.arrays import Array


def batch_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate BatchNormalization to batch_norm with its running statistics."""
    node.require("training_mode", 0, 0)
    node.require("spatial", 1, 1)
    if builder.graph.opset < 7:
        node.require("is_test", 0, 1)
    if len([name for name in node.outputs if name]) > 1:
        raise Untranslatable("it also returns the statistics of the batch, as in training")
    gamma, beta = builder.weight(node, 1), builder.weight(node, 2)
    mean, variance = builder.constant(node, 3), builder.constant(node, 4)
    if gamma is None or beta is None or mean is None or variance is None:
        raise Untranslatable("a parameter is missing")
    if (variance < 0).any():
        raise Untranslatable("one of its variances is negative")
    spec = {"kind": "batch_norm", "mode": "eval", "epsilon": _epsilon(node)}
    state = {"running_mean": mean, "running_variance": variance}
    builder.add(node, [builder.tensor(node, 0)], spec, {"gamma": gamma, "beta": beta}, state, named_by=1)


def layer_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate LayerNormalization over the last axis."""
    rank = len(builder.shape(node, 0))
    if builder.axis(node, node.integer("axis", -1), rank) != rank - 1:
        raise Untranslatable("it normalises more than the last axis")
    if len([name for name in node.outputs if name]) > 1:
        raise Untranslatable("it also returns mean and deviation")
    gamma, beta = builder.weight(node, 1), builder.weight(node, 2)
    if gamma is None or gamma.ndim != 1:
        raise Untranslatable("its scale is not a vector")
    parameters = {"gamma": gamma, "beta": np.zeros_like(gamma) if beta is None else beta}
    builder.add(
        node, [builder.tensor(node, 0)], {"kind": "layer_norm", "epsilon": _epsilon(node)}, parameters, named_by=1
    )


def rms_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate RMSNormalization over the last axis."""
    rank = len(builder.shape(node, 0))
    if builder.axis(node, node.integer("axis", -1), rank) != rank - 1:
        raise Untranslatable("it normalises more than the last axis")
    gamma = builder.weight(node, 1)
    if gamma is None or gamma.ndim != 1:
        raise Untranslatable("its scale is not a vector")
    builder.add(
        node, [builder.tensor(node, 0)], {"kind": "rms_norm", "epsilon": _epsilon(node)}, {"gamma": gamma}, named_by=1
    )


def group_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate GroupNormalization: from operator set 21 on, scale and bias have a number for each channel."""
    groups = node.integer("num_groups", 1, least=1)
    gamma, beta = builder.weight(node, 1), builder.weight(node, 2)
    shape = builder.shape(node, 0)
    channels = shape[1] if len(shape) > 2 else None
    if gamma is None or beta is None or gamma.ndim != 1 or beta.shape != gamma.shape or channels is None:
        raise Untranslatable("its scale and bias are not constant vectors of its channels")
    if builder.graph.opset < 21:
        gamma, beta = (np.repeat(each, channels // groups) for each in (gamma, beta))
    _grouped(builder, node, groups, gamma, beta)


def instance_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate InstanceNormalization: as many groups as channels."""
    gamma, beta = builder.weight(node, 1), builder.weight(node, 2)
    if gamma is None or beta is None or gamma.ndim != 1 or beta.shape != gamma.shape:
        raise Untranslatable("its scale and bias are not constant vectors")
    _grouped(builder, node, gamma.size, gamma, beta)


def local_response_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate LRN, whose window and constants are those of the layer."""
    size = node.integer("size", 0, least=1)
    constants = {
        "alpha": node.number("alpha", 1e-4),
        "beta": node.number("beta", 0.75),
        "bias": node.number("bias", 1.0),
    }
    if constants["alpha"] < 0 or constants["bias"] <= 0:
        raise Untranslatable("its alpha is negative or its bias is not positive")
    spec = {"kind": "local_response_norm", "size": size, **constants}
    builder.add(node, [builder.tensor(node, 0)], spec)


def _grouped(builder: Builder, node: OnnxNode, groups: int, gamma: Array, beta: Array) -> None:
    spec = {"kind": "group_norm", "groups": groups, "epsilon": _epsilon(node)}
    builder.add(node, [builder.tensor(node, 0)], spec, {"gamma": gamma, "beta": beta}, named_by=1)


def _epsilon(node: OnnxNode) -> float:
    epsilon = node.number("epsilon", 1e-5)
    if epsilon < 0:
        raise Untranslatable(f"its epsilon is {epsilon:g}, which is negative")
    return epsilon
