"""The mistakes of slice, replayed against formulas written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.mistakes.slicing import SLICING
from core.checking.quantity import Quantity
from core.layers import KINDS
from core.losses.half_squared_error import HalfSquaredError
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.sample import sampled

kinds: Any = KINDS


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("wrong", [mistake.slug for mistake in SLICING])
def test_a_mistake_of_slice_is_found(wrong: str, keep: bool) -> None:
    """dense with 5 units, its positions 2 and 3 or the second only, half the squared error."""
    layers = [
        kinds["dense"](units=5, name="a"),
        kinds["slice"](start=2, stop=4 if keep else 3, keep_axis=keep, name="s"),
    ]
    problem = sampled(layers, {"input": (4, 3)}, loss=HalfSquaredError(reduction="sum"))
    right = right_values(problem)
    D = right[Quantity("deltas", "s")].reshape(4, -1)

    def placed(first: int) -> Any:
        dX = np.zeros((4, 5))
        dX[:, first : first + D.shape[1]] = D
        return dX

    np.testing.assert_array_equal(right[Quantity("deltas", "a")], placed(2))
    at = {"slice-at-beginning": 0, "slice-at-next-position": 3, "slice-at-position-before": 1}[wrong]
    assert named(problem, Quantity("deltas", "a"), {Quantity("deltas", "a"): placed(at)}) == {wrong}
