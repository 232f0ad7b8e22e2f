"""The mistakes of prelu, replayed against formulas written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.mistakes.prelu import PRELU
from core.checking.quantity import Quantity
from core.layers import KINDS
from core.losses.half_squared_error import HalfSquaredError
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.sample import sampled

kinds: Any = KINDS


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("wrong", [mistake.slug for mistake in PRELU])
def test_a_mistake_of_prelu_is_found(wrong: str, seed: int) -> None:
    """dense, prelu of features, dense."""
    layers = [
        kinds["dense"](units=3, name="a"),
        kinds["prelu"](axes=[-1], name="p"),
        kinds["dense"](units=2, name="out"),
    ]
    problem = sampled(layers, {"input": (6, 2)}, loss=HalfSquaredError(reduction="sum"), seed=seed)
    right = right_values(problem)
    s, D, X = (
        problem.parameters["p"]["negative_slope"],
        right[Quantity("deltas", "p")],
        right[Quantity("activations", "a")],
    )
    np.testing.assert_allclose(right[Quantity("deltas", "a")], np.where(X > 0, D, s * D), rtol=1e-12)
    np.testing.assert_allclose(
        right[Quantity("gradients", "p", "negative_slope")], (D * np.minimum(X, 0)).sum(axis=0), rtol=1e-12
    )
    quantity, yours = {
        "slope-left-out": (Quantity("deltas", "a"), D * (X > 0)),
        "slope-for-positive-numbers": (Quantity("deltas", "a"), D * s),
        "slope-gradient-of-all-numbers": (Quantity("gradients", "p", "negative_slope"), (D * X).sum(axis=0)),
        "slope-gradient-without-input": (Quantity("gradients", "p", "negative_slope"), (D * (X < 0)).sum(axis=0)),
    }[wrong]
    assert wrong in named(problem, quantity, {quantity: yours})
