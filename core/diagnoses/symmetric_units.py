"""Symmetric units: units with equal weights and equal gradients, which stay equal in every step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.arrays import Array
from core.diagnoses.units import written
from core.errors import Issue
from core.plan import Plan

TOLERANCE = 1e3
"""Gradients of one product count as equal up to this many rounding units of the largest of them."""


def symmetric_units(plan: Plan) -> Iterator[Issue]:
    """Yield a warning for each dense layer in which units have equal weights, biases and gradients."""
    for node, context in plan.contexts:
        weight, gradient = context.parameters.get("weight"), context.gradients.get("weight")
        if node.layer.feedback_weight != "weight" or weight is None or gradient is None:
            continue
        units = _repeated(weight, gradient, context.parameters.get("bias"))
        if units:
            yield Issue(
                code="symmetric-units",
                path=("network", "layers", node.position),
                detail=f"{written(units, weight.shape[1])} of layer {node.name!r} have the same weights as another unit of "
                "the layer, and the same gradients. The gradient is right; they will learn the same thing and stay equal.",
                got=units,
                hint='Initialise at random ("seed") to break the symmetry.',
            )


def _repeated(weight: Array, gradient: Array, bias: Array | None) -> list[int]:
    """Return the columns that occur more than once, found by their products with a random vector, then compared."""
    direction = np.random.Generator(np.random.PCG64(0)).standard_normal(len(weight)).astype(weight.dtype)
    signatures = direction @ weight
    order = np.argsort(signatures, kind="stable")
    rounding = TOLERANCE * np.finfo(weight.dtype).eps
    close = np.diff(signatures[order]) <= rounding * np.abs(signatures).max()
    within = rounding * np.abs(gradient).max()
    found: set[int] = set()
    for one, other in zip(order[:-1][close], order[1:][close], strict=True):
        same = np.array_equal(weight[:, one], weight[:, other]) and (bias is None or bias[one] == bias[other])
        if same and np.abs(gradient[:, one] - gradient[:, other]).max() <= within:
            found |= {int(one), int(other)}
    return sorted(found)
