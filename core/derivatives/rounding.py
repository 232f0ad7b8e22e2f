"""How much of a directional derivative may be rounding.

Where a gradient is 0, nothing but rounding is left of it: a softmax of one output, an output that equals its target, a
saturated unit. What rounds is then larger than the result. The delta of a loss is a difference A − Y or contains one
like 1 − A, so it is uncertain by eps (|A| + |Y|), and by what A itself is uncertain, however small it is. So is its
product with the rate at which the layers move.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.arrays import Array, column_of
from core.losses import Loss
from core.plan import Plan

ROUNDINGS = 4
"""Units of eps that the products may be off, all together; random networks of the tests come to 1."""


def allowance(dtype: np.dtype[Any], products: float) -> float:
    """Return the rounding error that a sum may have whose intermediate products have this size."""
    return ROUNDINGS * float(np.finfo(dtype).eps) * products


def product_size(
    moved: Plan, step: float, still: Plan, loss: Loss, directions: Mapping[str, Mapping[str, Array]]
) -> float:
    """Return the size of the products of which the derivative of a loss along a direction is a sum.

    Args:
        moved: a plan that has gone forward with everything moved by i `step` along the direction, with its
            preactivations retained.
        step: length of the step.
        still: a plan that has gone forward with nothing moved, in the precision of the gradients.
        loss: the loss of the plan.
        directions: the direction, by layer and name of the parameter.
    """
    results = [*moved.activations.values(), *moved.preactivations.values()]
    rate = max(float(np.abs(result.imag).max(initial=0)) for result in results) / step
    terms = np.abs(moved.loss.targets)
    if loss.needs_targets:
        # Both plans have the same output but for what has been rounded on the way, in a deep network many times.
        apart = np.abs(moved.output - still.output) / np.finfo(still.output.dtype).eps
        terms = terms + (np.abs(moved.output) + apart).reshape(terms.shape)
        terms = terms * column_of(np.abs(moved.loss.coefficients), terms)
    size = rate * float(terms.sum())
    if loss.l2:
        size += loss.l2 * sum(
            float(np.abs(moved.parameters[layer][name] * direction).sum())
            for layer, named in directions.items()
            for name, direction in named.items()
        )
    return size
