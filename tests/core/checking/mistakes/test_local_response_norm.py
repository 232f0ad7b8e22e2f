"""The mistakes of local_response_norm, replayed against a loop over windows written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.mistakes.local_response_norm import LOCAL_RESPONSE_NORM
from core.checking.quantity import Quantity
from core.layers import KINDS
from core.losses.half_squared_error import HalfSquaredError
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.sample import sampled

kinds: Any = KINDS


def sent_back(wrong: str, X: Any, D: Any) -> Any:
    """∂L/∂X, window by window: size 3, α = 0.9, β = 0.75, bias 1."""
    dX, channels = np.zeros_like(X), X.shape[1]
    for c in range(channels):
        window = range(max(0, c - 1), min(channels, c + 2))
        S = 1 + 0.3 * sum(X[:, k] ** 2 for k in window)
        dX[:, c] += D[:, c] * S**-0.75
        for k in window:
            term = 2 * 0.3 * 0.75 * X[:, k] * D[:, c] * X[:, c] * S**-1.75
            term = term / 2 if wrong == "two-of-squares-lost" else term
            if wrong != "divisor-as-constant" and (wrong != "own-window-only" or k == c):
                dX[:, k] -= term
    return dX


@pytest.mark.parametrize("wrong", [mistake.slug for mistake in LOCAL_RESPONSE_NORM])
def test_a_mistake_of_local_response_norm_is_found(wrong: str) -> None:
    """conv1d, local_response_norm, half the squared error."""
    layers = [
        kinds["conv1d"](filters=4, kernel_size=2, name="a"),
        kinds["local_response_norm"](size=3, alpha=0.9, name="l"),
    ]
    problem = sampled(layers, {"input": (3, 2, 5)}, loss=HalfSquaredError(reduction="sum"))
    right = right_values(problem)
    X, D = right[Quantity("activations", "a")], right[Quantity("deltas", "l")]
    np.testing.assert_allclose(right[Quantity("deltas", "a")], sent_back("", X, D), rtol=1e-10)
    yours = sent_back(wrong, X, D)
    assert named(problem, Quantity("deltas", "a"), {Quantity("deltas", "a"): yours}) == {wrong}
