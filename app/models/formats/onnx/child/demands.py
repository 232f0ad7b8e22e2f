"""Demands: the lengths that a graph's own weights demand of axes that the file leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.models.formats.onnx.child.specialising import Array

KEEP_SHAPE = (
    "Identity",
    "Dropout",
    "Cast",
    "Relu",
    "LeakyRelu",
    "Sigmoid",
    "Tanh",
    "Elu",
    "Selu",
    "Softplus",
    "Neg",
    "Exp",
)
"""Operators of one tensor whose result has its shape."""


def demanded(name: str, rank: int, nodes: Sequence[Any], constants: Mapping[str, Array]) -> dict[int, int]:
    """Return the lengths of axes of a value that the weights of the nodes that read it demand."""
    found: dict[int, int] = {}
    names = {name}
    for node in nodes:
        if node.op_type in KEEP_SHAPE and node.input and node.input[0] in names:
            names.add(node.output[0])
        demand = _DEMANDS.get(node.op_type)
        if demand is None or len(node.input) < 2 or node.input[0] not in names or node.input[1] not in constants:
            continue
        options = {attribute.name: attribute.i for attribute in node.attribute}
        axis, length = demand(constants[node.input[1]], options, rank)
        if 0 <= axis < rank:
            found.setdefault(axis, length)
    return found


def _of_gemm(weight: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    if weight.ndim != 2:
        return -1, 0
    return 0 if options.get("transA") else 1, weight.shape[1 if options.get("transB") else 0]


def _of_matmul(weight: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    return (rank - 1, weight.shape[-2]) if weight.ndim >= 2 else (-1, 0)


def _of_convolution(weight: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    return (1, weight.shape[1] * max(1, options.get("group", 1))) if weight.ndim > 2 else (-1, 0)


def _of_transposed_convolution(weight: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    return (1, weight.shape[0]) if weight.ndim > 2 else (-1, 0)


def _of_channels(gamma: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    return 1, gamma.size


def _of_features(gamma: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    return (rank - 1, gamma.size) if gamma.ndim == 1 else (-1, 0)


def _of_recurrence(weight: Array, options: Mapping[str, int], rank: int) -> tuple[int, int]:
    return (2, weight.shape[2]) if weight.ndim == 3 else (-1, 0)


_DEMANDS: dict[str, Callable[[Array, Mapping[str, int], int], tuple[int, int]]] = {
    "Gemm": _of_gemm, "MatMul": _of_matmul, "Conv": _of_convolution, "ConvTranspose": _of_transposed_convolution,
    "BatchNormalization": _of_channels, "InstanceNormalization": _of_channels, "GroupNormalization": _of_channels,
    "LayerNormalization": _of_features, "RMSNormalization": _of_features,
    "LSTM": _of_recurrence, "GRU": _of_recurrence, "RNN": _of_recurrence,
}  # fmt: skip
