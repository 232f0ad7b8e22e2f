"""The mistakes of group_norm, replayed against loops over groups written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.mistakes.base import Mistake
from core.checking.mistakes.group_norm import GROUP_NORM
from core.checking.quantity import Quantity
from core.layers import KINDS
from core.losses.half_squared_error import HalfSquaredError
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.sample import sampled

kinds: Any = KINDS
Array = np.ndarray[Any, Any]


def sent_back(wrong: str, X: Array, D: Array, gamma: Array) -> Array:
    """∂L/∂X, group by group, with what that mistake does."""
    dX, G = np.zeros_like(X), D * (1 if wrong == "GroupGammaLeftOut" else gamma[:, None])
    for n in range(len(X)):
        for group in (slice(0, 2), slice(2, 4)):
            x = X[n, group]
            s = np.sqrt(x.var() + 0.1)
            hat = (x - x.mean()) / s
            for c in range(group.start, group.stop):
                inside, hats = G[n, group], hat
                if wrong == "MeansOverChannels":
                    inside, hats = G[n, c], hat[c - group.start]
                m, v = inside.mean(), (inside * hats).mean()
                if wrong == "MeansOverExample":
                    every = [X[n, each] for each in (slice(0, 2), slice(2, 4))]
                    all_hats = np.concatenate([(e - e.mean()) / np.sqrt(e.var() + 0.1) for e in every])
                    m, v = G[n].mean(), (G[n] * all_hats).mean()
                m *= wrong not in ("GroupStatisticsAsConstants", "GroupMeanTermMissing")
                v *= wrong not in ("GroupStatisticsAsConstants", "GroupVarianceTermMissing")
                dX[n, c] = (G[n, c] - m - hat[c - group.start] * v) / s
    return dX


@pytest.mark.parametrize("mistake", GROUP_NORM, ids=lambda mistake: mistake.__name__)
def test_a_mistake_of_group_norm_is_found(mistake: type[Mistake]) -> None:
    """conv1d with 4 channels, group_norm of 2 groups, flatten, dense."""
    layers = [
        kinds["conv1d"](filters=4, kernel_size=2, name="a"),
        kinds["group_norm"](groups=2, epsilon=0.1, name="g"),
        kinds["flatten"](name="f"),
        kinds["dense"](units=2, name="out"),
    ]
    problem = sampled(layers, {"input": (3, 2, 5)}, loss=HalfSquaredError(reduction="sum"))
    right = right_values(problem)
    X, D = right[Quantity("activations", "a")], right[Quantity("deltas", "g")]
    gamma = problem.parameters["g"]["gamma"]
    np.testing.assert_allclose(right[Quantity("deltas", "a")], sent_back("", X, D, gamma), rtol=1e-10)
    if mistake.strikes == ("gradients",):
        quantity, yours = Quantity("gradients", "g", "gamma"), (D * X).sum(axis=(0, 2))
    else:
        quantity, yours = Quantity("deltas", "a"), sent_back(mistake.__name__, X, D, gamma)
    assert named(problem, quantity, {quantity: yours}) == {mistake.slug}
