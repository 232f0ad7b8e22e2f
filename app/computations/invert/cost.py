"""The cost of /v1/invert."""

from __future__ import annotations

import math

import numpy as np

from app.computations.invert.schemas import InvertRequest
from app.problem.costs import WRITTEN_BYTES, elements_of
from app.settings import Settings
from core.cost import Cost
from core.layers.dense import Dense
from core.operations import READ, REQUEST, WRITE, multiplication, singular_values

PROGRAMME = 80_000.0
"""Operations of a linear programme for each element of a null space: the simplex method passes over it again and again."""

REPAIRED = 0.25
"""Share of the examples that need a linear programme. It depends on the numbers and may be all or none."""


def invert_cost(body: InvertRequest, settings: Settings) -> Cost:
    """Return the cost of the decompositions of all weights and of the linear programmes of all examples."""
    targets = body.targets if body.targets is not None else body.batch and body.batch.targets
    if not isinstance(targets, np.ndarray) or not targets.ndim:
        return Cost()
    column = body.convention == "column"
    examples = targets.shape[-1] if column else targets.shape[0]
    sent = elements_of([targets, body.parameters, body.reference])
    cost = Cost(REQUEST + READ * sent, 36 * sent)
    widths = [layer.units for layer in body.network.layers if isinstance(layer, Dense)]
    for position, (inside, outside) in enumerate(zip([_features(body), *widths], widths, strict=False)):
        # What the first layer reads is in no interval.
        repaired = examples * REPAIRED if position else 0.0
        cost += _layer(inside, outside, examples, repaired, with_null_space=body.null_space)
    return cost


def _features(body: InvertRequest) -> int:
    """Return the number of features of the inputs, as far as the request shows it."""
    known = [body.reference, body.batch.inputs if body.batch else None]
    for sent in known:
        if isinstance(sent, np.ndarray) and sent.ndim:
            return int(sent.shape[0 if body.convention == "column" else -1])
    weights = [named["weight"] for named in (body.parameters or {}).values() if "weight" in named]
    return max(weights[0].shape, default=1) if weights else 1


def _layer(inside: int, outside: int, examples: int, repaired: float, *, with_null_space: bool) -> Cost:
    """Return the cost of one weight: its decomposition, its null space, and the linear programmes of some examples."""
    null_space = inside * max(inside - outside, 0) if with_null_space else 0
    operations = singular_values(inside, outside) + 2 * multiplication(examples, inside, outside)
    operations += repaired * PROGRAMME * inside * max(inside - outside, 0)
    if with_null_space and inside > outside:
        operations += 4 * inside * inside * outside + WRITE * null_space
    elements = 3 * inside * outside + 2 * examples * (inside + outside) + math.prod((inside, max(inside - outside, 0)))
    return Cost(operations, 8 * elements + WRITTEN_BYTES * (null_space + examples * (inside + outside)))
