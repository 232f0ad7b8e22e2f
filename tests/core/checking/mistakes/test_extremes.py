"""The mistakes of reduce_max and reduce_min, replayed against formulas written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.mistakes.extremes import EXTREMES
from core.checking.quantity import Quantity
from core.layers import KINDS
from core.losses.half_squared_error import HalfSquaredError
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.sample import sampled

kinds: Any = KINDS


@pytest.mark.parametrize("kind", ["reduce_max", "reduce_min"])
@pytest.mark.parametrize("wrong", [mistake.slug for mistake in EXTREMES])
def test_a_mistake_of_an_extreme_is_found(wrong: str, kind: str) -> None:
    """conv1d, the extreme of every channel, half the squared error."""
    layers = [kinds["conv1d"](filters=3, kernel_size=2, name="a"), kinds[kind](axis=2, name="m")]
    problem = sampled(layers, {"input": (4, 2, 6)}, loss=HalfSquaredError(reduction="sum"))
    right = right_values(problem)
    X, D = right[Quantity("activations", "a")], right[Quantity("deltas", "m")][..., None]
    extreme = X.max(axis=2, keepdims=True) if kind == "reduce_max" else X.min(axis=2, keepdims=True)
    np.testing.assert_array_equal(right[Quantity("deltas", "a")], D * (extreme == X))
    yours = D * np.ones(X.shape) / {"extreme-to-all-numbers": 1, "extreme-as-mean": X.shape[2]}[wrong]
    assert named(problem, Quantity("deltas", "a"), {Quantity("deltas", "a"): yours}) == {wrong}
