"""Accuracy against argmax, in both layouts, with ties and NaN."""

from __future__ import annotations

import numpy as np
import pytest

from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.training.metrics.accuracy import Accuracy

RNG = np.random.default_rng(4)
DISTINCT = RNG.normal(size=(40, 3))
OUTPUTS = {
    "distinct": DISTINCT,
    "ties": np.round(DISTINCT),
    "a NaN": np.where(DISTINCT > 1.5, np.nan, DISTINCT),
    "infinite": np.where(DISTINCT > 1, np.inf, DISTINCT),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", OUTPUTS)
def test_the_first_of_the_largest_outputs_names_the_class(name: str, turned: bool) -> None:
    loss, targets = SoftmaxCrossEntropy(), np.eye(3)[RNG.integers(0, 3, 40)]
    output = np.ascontiguousarray(OUTPUTS[name].T).T if turned else OUTPUTS[name]
    found = Accuracy().value(loss, output, Accuracy().known(loss, targets))
    assert found == np.mean([row.argmax() == target.argmax() for row, target in zip(output, targets, strict=True)])
