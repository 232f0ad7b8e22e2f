"""A run that diverges is refused as NumPy's engine refuses it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from app.compiled.choice import choose_engine
from core.arrays import CheckDeadline
from core.errors import Refusal
from core.optimizers.sgd import Sgd
from core.training import Recipe, train
from tests.app.compiled.problems import compiled, needs_numba, problem

pytestmark = needs_numba


@pytest.mark.parametrize("loss", ["mean_squared_error, sum", "softmax_cross_entropy"])
@pytest.mark.parametrize("rate", [1e10, 1e300])
def test_the_refusal_is_that_of_the_reference(loss: str, rate: float, folder: Path) -> None:
    sent, recipe = problem(np.random.default_rng(4), loss), Recipe(optimizer=Sgd(learning_rate=rate), epochs=60)
    outcomes = []
    for epochs in (train(sent, recipe), compiled(sent, recipe, folder)):
        try:
            outcomes.append(str(len(list(epochs))))
        except Refusal as refusal:
            (issue,) = refusal.issues
            assert issue.code == "non-finite"
            outcomes.append(issue.detail)
    assert outcomes[0] == outcomes[1]
    if loss.startswith("mean"):
        assert re.match(r"Training diverged in epoch \d+, step \d+\.", outcomes[1])


def test_the_deadline_ends_a_run(folder: Path) -> None:
    sent, recipe = problem(np.random.default_rng(4)), Recipe(optimizer=Sgd(), epochs=2, batch_size=1)
    calls: list[None] = []

    def check() -> None:
        calls.append(None)
        if len(calls) > 2:
            raise TimeoutError

    deadline: CheckDeadline = check
    choice = choose_engine("compiled", sent, recipe, folder)
    with pytest.raises(TimeoutError):
        list(train(sent, recipe, check_deadline=deadline, engine=choice.factory))
