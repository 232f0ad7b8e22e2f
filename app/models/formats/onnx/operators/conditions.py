"""Where: with a constant condition, a mask; with a comparison, only the softplus of torch's exporter."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.steps import Steps
from core.arrays import Array
from core.errors import Issue

LINEAR_FROM = 20.0
"""Argument from which softplus is its argument to 2.1e-9, and its derivative 1 as much."""


def comparison(builder: Builder, node: OnnxNode) -> None:
    """Leave a comparison to the Where that reads it.

    Raises:
        Untranslatable: if something else reads it.
    """
    if not builder.only_feeds(node, "Where"):
        raise Untranslatable("its result is true or false, and no gradient passes through it; only Where may read it")


def where(builder: Builder, node: OnnxNode) -> None:
    """Translate Where."""
    condition = node.inputs[0]
    if condition in builder.constants:
        found = builder.constant(node, 0)
        if found is not None:
            _masked(builder, node, found != 0)
    elif _is_softplus(builder, node):
        builder.show(node, builder.view(node.inputs[2]))
    else:
        raise Untranslatable(
            "its condition is computed from the input, and it is not softplus as torch writes it, linear from 20 on; "
            "no layer chooses between two tensors"
        )


def _is_softplus(builder: Builder, node: OnnxNode) -> bool:
    """Return whether a node is Where(s > t, x, Softplus(s) / beta) with s = beta x and t ≥ 20."""
    compared, curved = _maker(builder, node.inputs[0]), _maker(builder, node.inputs[2])
    if compared is None or curved is None or compared.operator not in ("Greater", "GreaterOrEqual"):
        return False
    threshold, scaled, beta = builder.constants.get(compared.inputs[1]), node.inputs[1], None
    if curved.operator == "Div":
        beta, curved = builder.constants.get(curved.inputs[1]), _maker(builder, curved.inputs[0])
        multiplied = _maker(builder, compared.inputs[0])
        if beta is None or beta.size != 1 or curved is None or multiplied is None or multiplied.operator != "Mul":
            return False
        factors = [builder.constants.get(name) for name in multiplied.inputs if name != node.inputs[1]]
        if len(factors) != 1 or factors[0] is None or factors[0].shape != beta.shape or factors[0] != beta:
            return False
        scaled = multiplied.outputs[0]
    return (
        curved.operator == "Softplus"
        and list(curved.inputs) == [scaled] == [compared.inputs[0]]
        and threshold is not None
        and threshold.size == 1
        and float(threshold.reshape(-1)[0]) >= LINEAR_FROM
        and builder.result_shape(node) == builder.shape(node, 2)
    )


def _maker(builder: Builder, name: str) -> OnnxNode | None:
    """Return the node that computes a value."""
    return next((other for other in builder.graph.nodes if name in other.outputs), None)


def _masked(builder: Builder, node: OnnxNode, mask: Array) -> None:
    """Choose by a constant mask: each operand times 1 where it is chosen and 0 elsewhere, and their sum."""
    tensors = [position for position in (1, 2) if builder.is_tensor(node, position)]
    after = builder.result_shape(node)
    if not tensors or any(builder.shape(node, position) != after for position in tensors):
        raise Untranslatable("its condition or its operands change the shape of each other")
    whole = {1: mask, 2: ~mask}
    for position in tensors:
        if whole[position].all():
            builder.alias(node, builder.tensor(node, position))
            return
    steps = Steps(builder, node)
    if len(tensors) == 2:
        reads = [_scaled(builder, steps, node, position, whole[position], None) for position in tensors]
        steps.add(reads, "add")
    else:
        (position,) = tensors
        other = builder.constant(node, 3 - position)
        _scaled(builder, steps, node, position, whole[position], other)
    steps.finish()
    detail = (
        f"{node.describe()} chooses by a mask, which became the parameter gamma of a scale layer: its gradient is "
        "reported, and training would change it."
    )
    builder.warnings.append(Issue(code="constant-as-parameter", path=("graph", "node"), detail=detail))


def _scaled(builder: Builder, steps: Steps, node: OnnxNode, position: int, mask: Array, other: Array | None) -> str:
    """Add the layer that keeps a tensor where the mask is true, and puts a constant elsewhere."""
    shape, gamma = builder.shape(node, position), mask.astype(np.float64)
    beta = np.zeros(()) if other is None else np.asarray(other, np.float64)
    gamma, beta = (_of_one_example(array, len(shape)) for array in (gamma, beta * (1 - gamma)))
    gamma, beta = np.broadcast_arrays(gamma, beta)
    axes = [1 + axis for axis, length in enumerate(gamma.shape) if length > 1]
    parameters = {
        name: np.array(array.reshape([length for length in array.shape if length > 1] or [1]))
        for name, array in (("gamma", gamma), ("beta", beta))
        if name == "gamma" or array.any()
    }
    spec: dict[str, Any] = {"axes": axes, "gamma": True, "beta": "beta" in parameters}
    return steps.add([builder.tensor(node, position)], "scale", parameters, **spec)


def _of_one_example(array: Array, rank: int) -> Array:
    """Return a constant with an axis for each axis of an example."""
    if array.ndim > rank or (array.ndim == rank and array.shape[0] != 1):
        raise Untranslatable("its condition differs between examples")
    return np.asarray(array[0] if array.ndim == rank else array.reshape([1] * (rank - 1 - array.ndim) + [*array.shape]))
