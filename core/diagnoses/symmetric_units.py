"""Symmetric units: units with equal weights and equal gradients, which stay equal in every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from core.arrays import Array
from core.diagnoses.units import written
from core.errors import Issue
from core.layer_context import LayerContext
from core.plan import Plan

TOLERANCE = 1e3
"""Gradients of one product count as equal up to this many rounding units of the largest of them."""


def symmetric_units(plan: Plan) -> Callable[[], Iterator[Issue]]:
    """Bind to a plan: a warning for each dense layer in which units have equal weights, biases and gradients."""
    layers = [
        (node, context, _closest(context.parameters["weight"]))
        for node, context in plan.contexts
        if node.layer.feedback_weight == "weight" and "weight" in context.gradients
        if context.parameters["weight"].shape[1] > 1
    ]

    def find() -> Iterator[Issue]:
        for node, context, close in layers:
            candidates = close()
            units = _repeated(context, candidates) if candidates else []
            if units:
                yield Issue(
                    code="symmetric-units",
                    path=("network", "layers", node.position),
                    detail=f"{written(units, context.parameters['weight'].shape[1])} of layer {node.name!r} have the same "
                    "weights as another unit of the layer, and the same gradients. The gradient is right; they will learn "
                    "the same thing and stay equal.",
                    got=units,
                    hint='Initialise at random ("seed") to break the symmetry.',
                )

    return find


def _closest(weight: Array) -> Callable[[], list[tuple[int, int]]]:
    """Return the function that returns the pairs of columns whose products with a random vector are equal or close."""
    direction = np.random.Generator(np.random.PCG64(0)).standard_normal(len(weight)).astype(weight.dtype)
    tolerance = float(TOLERANCE * np.finfo(weight.dtype).eps)
    ordered = np.empty(weight.shape[1], weight.dtype)
    gaps = np.empty(len(ordered) - 1, weight.dtype)

    def close() -> list[tuple[int, int]]:
        signatures = direction.dot(weight)
        ordered[...] = signatures
        ordered.sort()
        np.subtract(ordered[1:], ordered[:-1], gaps)
        within = tolerance * max(abs(ordered.item(0)), abs(ordered.item(-1)))
        if gaps.item(gaps.argmin()) > within:
            return []
        order = np.argsort(signatures, kind="stable").tolist()
        return [pair for pair, gap in zip(pairwise(order), gaps, strict=True) if gap <= within]

    return close


def _repeated(context: LayerContext, pairs: list[tuple[int, int]]) -> list[int]:
    """Return the columns that are among the pairs and are equal, as far as rounding can tell."""
    weight, gradient, bias = context.parameters["weight"], context.gradients["weight"], context.parameters.get("bias")
    within = TOLERANCE * np.finfo(weight.dtype).eps * np.abs(gradient).max()
    found: set[int] = set()
    for one, other in pairs:
        same = np.array_equal(weight[:, one], weight[:, other]) and (bias is None or bias[one] == bias[other])
        if same and np.abs(gradient[:, one] - gradient[:, other]).max() <= within:
            found |= {one, other}
    return sorted(found)
