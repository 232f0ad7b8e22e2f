"""The mistakes of scale, replayed against formulas written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.mistakes.scaling import SCALING
from core.checking.quantity import Quantity
from core.layers import KINDS
from core.losses.half_squared_error import HalfSquaredError
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.sample import sampled

kinds: Any = KINDS


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("wrong", [mistake.slug for mistake in SCALING])
def test_a_mistake_of_scale_is_found(wrong: str, seed: int) -> None:
    """conv1d, scale of channels, flatten, dense."""
    layers = [
        kinds["conv1d"](filters=3, kernel_size=2, name="a"),
        kinds["scale"](axes=[1], name="s"),
        kinds["flatten"](name="f"),
        kinds["dense"](units=2, name="out"),
    ]
    problem = sampled(layers, {"input": (4, 2, 5)}, loss=HalfSquaredError(reduction="sum"), seed=seed)
    right = right_values(problem)
    gamma, D = problem.parameters["s"]["gamma"][:, None], right[Quantity("deltas", "s")]
    X = right[Quantity("activations", "a")]
    np.testing.assert_allclose(right[Quantity("deltas", "a")], gamma * D, rtol=1e-12)
    np.testing.assert_allclose(right[Quantity("gradients", "s", "gamma")], (D * X).sum(axis=(0, 2)), rtol=1e-12)
    quantity, yours = {
        "gamma-left-out": (Quantity("deltas", "a"), D),
        "gamma-gradient-without-input": (Quantity("gradients", "s", "gamma"), D.sum(axis=(0, 2))),
        "gamma-gradient-of-result": (
            Quantity("gradients", "s", "gamma"),
            (D * right[Quantity("preactivations", "s")]).sum(axis=(0, 2)),
        ),
        "gamma-in-parameter-gradient": (Quantity("gradients", "s", "beta"), (gamma * D).sum(axis=(0, 2))),
    }[wrong]
    assert named(problem, quantity, {quantity: yours}) == {wrong}
