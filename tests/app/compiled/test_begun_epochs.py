"""A compiled run that is taken up in the middle of an epoch ends with the bits of one that was left in peace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.compiled import engine
from app.compiled.choice import choose_engine
from core.layers.dense import Dense
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers.adam import Adam
from core.training import Recipe, TrainingState, train
from tests.app.compiled.problems import needs_numba
from tests.core.training.test_train import digest, problem_of

pytestmark = needs_numba


def test_a_compiled_run_is_taken_up_between_two_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SECONDS", 0.0)  # Blocks of one step each.
    problem = problem_of([Dense(units=6, activation="relu"), Dense(units=3)], SoftmaxCrossEntropy())
    recipe = Recipe(optimizer=Adam(learning_rate=0.02), epochs=4, batch_size=5, seed=3, validation_fraction=0.1)
    factory = choose_engine("compiled", problem, recipe, folder).factory
    within: list[TrainingState] = []

    def take(state: Callable[[], TrainingState | None]) -> None:
        taken = state()
        assert taken
        within.append(taken)

    whole = [
        (epoch.report, digest(epoch.state())) for epoch in train(problem, recipe, between_steps=take, engine=factory)
    ]
    assert len(within) > 8
    for state in within:
        again = [(epoch.report, digest(epoch.state())) for epoch in train(problem, recipe, state, engine=factory)]
        assert again == whole[state.epoch :]
