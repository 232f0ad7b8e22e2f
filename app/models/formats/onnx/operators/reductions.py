"""Reductions along axes: sums, means, extremes, products, norms and logarithms of sums."""

from __future__ import annotations

from typing import Any

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.steps import Steps

_MOST_FACTORS = 64
"""Largest length of an axis whose product is formed by a slice for each position."""


def reduction(kind: str, *, of: str | None = None, then: str | None = None) -> Translator:
    """Return the translator of a reduction.

    Args:
        kind: the layer that reduces.
        of: the function of the elements that are reduced; none for the elements themselves.
        then: the function of the result.
    """

    def translate(builder: Builder, node: OnnxNode) -> None:
        axes = _reduced(builder, node)
        if axes is None and (of or then):
            raise Untranslatable("it has no axes and noop_with_empty_axes, so that it reduces nothing")
        reads = builder.tensor(node, 0)
        if axes is None:
            builder.alias(node, reads)
            return
        steps = Steps(builder, node)
        reads = steps.apply(reads, of) if of else reads
        more: dict[str, Any] = {"activation": then} if then else {}
        steps.add([reads], kind, axis=axes, keep_axis=_keeps(node), **more)
        steps.finish()

    return translate


def log_sum_exp(builder: Builder, node: OnnxNode) -> None:
    """Translate ReduceLogSumExp. The largest number is taken out of the sum, so that no exponential overflows."""
    axes = _reduced(builder, node)
    if axes is None:
        raise Untranslatable("it has no axes and noop_with_empty_axes, so that it reduces nothing")
    steps, reads = Steps(builder, node), builder.tensor(node, 0)
    largest = steps.add([reads], "reduce_max", axis=axes, keep_axis=True)
    below = steps.add([reads, largest], "subtract", activation="exp")
    rest = steps.add([below], "reduce_sum", axis=axes, keep_axis=True, activation="log")
    whole = steps.add([rest, largest], "add")
    if not _keeps(node):
        steps.add([whole], "reduce_sum", axis=axes, keep_axis=False)
    steps.finish()


def product(builder: Builder, node: OnnxNode) -> None:
    """Translate ReduceProd along short axes: a slice for each position, and their product."""
    axes, shape = _reduced(builder, node), builder.shape(node, 0)
    reads = builder.tensor(node, 0)
    if not axes:
        builder.alias(node, reads)
        return
    steps = Steps(builder, node)
    for axis in reversed(axes):  # From the last one, so that axes that are dropped do not renumber others.
        length = shape[axis]
        if length is None or not 1 <= length <= _MOST_FACTORS:
            shown = "open" if length is None else str(length)
            raise Untranslatable(
                f"the length of its axis {axis} is {shown}; products have up to {_MOST_FACTORS} factors"
            )
        factors = []
        for start in range(length):
            spec: dict[str, Any] = {"start": start} | ({"stop": start + 1} if start < length - 1 else {})
            factors.append(steps.add([reads], "slice", axis=axis, keep_axis=_keeps(node), **spec))
        reads = steps.add(factors, "multiply") if length > 1 else factors[0]
    steps.finish()


def global_average(builder: Builder, node: OnnxNode) -> None:
    """Translate GlobalAveragePool. A reshape adds the axes of length 1 that ONNX keeps."""
    rank = _positions(builder, node)
    steps = Steps(builder, node)
    pooled = steps.add([builder.tensor(node, 0)], "global_average_pool")
    steps.add([pooled], "reshape", shape=[-1, *[1] * (rank - 2)])
    steps.finish()


def global_max(builder: Builder, node: OnnxNode) -> None:
    """Translate GlobalMaxPool to the largest number of each channel."""
    axes = list(range(2, _positions(builder, node)))
    builder.add(node, [builder.tensor(node, 0)], {"kind": "reduce_max", "axis": axes, "keep_axis": True})


def _positions(builder: Builder, node: OnnxNode) -> int:
    """Return the number of axes of n x channels x positions."""
    rank = len(builder.shape(node, 0))
    if rank < 3:
        raise Untranslatable(f"its input has {rank} axes; it takes n x channels x positions")
    return rank


def _reduced(builder: Builder, node: OnnxNode) -> list[int] | None:
    """Return the axes that are reduced, in order; None if none is.

    Raises:
        Untranslatable: if that of the examples is among them.
    """
    rank = len(builder.shape(node, 0))
    axes = builder.integers(node, 1, "axes")
    if not axes and node.integer("noop_with_empty_axes", 0) != 0:
        return None
    reduced = sorted({builder.axis(node, axis, rank) for axis in axes or range(rank)})
    if reduced[:1] in ([], [0]):
        raise Untranslatable("it also reduces the axis of the examples")
    if 0 in builder.shape(node, 0):
        raise Untranslatable("its input has an axis of length 0")
    return reduced


def _keeps(node: OnnxNode) -> bool:
    return node.integer("keepdims", 1) != 0
