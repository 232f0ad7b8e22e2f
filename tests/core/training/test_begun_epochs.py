"""A run that is taken up in the middle of an epoch ends with the bits of one that was left in peace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Refusal
from core.layers.dense import Dense
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers import OPTIMIZERS
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.training import EarlyStopping, Recipe, TrainingState, train
from tests.core.training.test_train import digest, layers_with_state, problem_of


def states_within(problem: Problem, recipe: Recipe) -> list[TrainingState]:
    """The states between the steps of all epochs, as they come back from where they were stored."""
    found: list[TrainingState] = []

    def take(state: Callable[[], TrainingState | None]) -> None:
        taken = state()
        assert taken
        tensors = {path: array.copy() for path, array in taken.tensors().items()}
        found.append(TrainingState.restore(tensors, json.loads(json.dumps(taken.notes()))))

    for _ in train(problem, recipe, between_steps=take):
        pass
    return found


@settings(max_examples=30, deadline=None)
@given(
    optimizer=st.sampled_from(list(OPTIMIZERS.values())),
    batch_size=st.integers(2, 12),
    dtype=st.sampled_from(["float64", "float32"]),
    held=st.sampled_from([0.0, 0.25]),
    patience=st.sampled_from([None, 2]),
    place=st.integers(0, 100),
    looks=st.booleans(),
)
def test_a_run_that_is_taken_up_between_two_steps_ends_with_the_same_bits(
    optimizer: Any, batch_size: int, dtype: Any, held: float, patience: int | None, place: int, looks: bool
) -> None:
    problem = problem_of(layers_with_state(), SoftmaxCrossEntropy(), dtype=dtype)
    recipe = Recipe(
        optimizer=optimizer(learning_rate=0.02, gradient_clip_norm=5.0, nesterov=True)
        if looks and optimizer is Sgd
        else optimizer(learning_rate=0.02),
        epochs=4,
        batch_size=batch_size,
        seed=3,
        validation_fraction=held,
        early_stopping=(patience and EarlyStopping(patience)) or None,
    )
    whole = [(epoch.report, digest(epoch.state())) for epoch in train(problem, recipe)]
    within = states_within(problem, recipe)
    state = within[place % len(within)]
    assert state.begun is not None
    again = [(epoch.report, digest(epoch.state())) for epoch in train(problem, recipe, state)]
    assert [report for report, _ in again] == [report for report, _ in whole[state.epoch :]]
    assert [found for _, found in again] == [found for _, found in whole[state.epoch :]]


def test_a_state_is_offered_after_every_step_but_the_last_of_an_epoch() -> None:
    problem = problem_of([Dense(units=3)], MeanSquaredError(), examples=23)
    within = states_within(problem, Recipe(optimizer=Sgd(learning_rate=0.1), epochs=2, batch_size=8))
    assert [(state.epoch, state.optimizer.step) for state in within] == [(0, 1), (0, 2), (1, 4), (1, 5)]


def run_to_refusal(rate: float, start: TrainingState | None = None) -> tuple[Refusal, list[TrainingState | None]]:
    """How a run with that rate is refused, and the states that were offered before."""
    problem = problem_of([Dense(units=3)], MeanSquaredError(reduction="sum"), examples=23)
    recipe = Recipe(optimizer=Sgd(learning_rate=rate), epochs=9, batch_size=4)
    offered: list[TrainingState | None] = []
    with pytest.raises(Refusal) as caught:
        list(train(problem, recipe, start, between_steps=lambda state: offered.append(state())))
    return caught.value, offered


def test_a_run_that_diverges_is_refused_alike_after_it_was_taken_up() -> None:
    refusal, offered = run_to_refusal(1e60)
    assert offered[-1] is not None
    assert run_to_refusal(1e60, offered[-1])[0].issues == refusal.issues


def test_a_state_that_is_not_finite_is_not_offered() -> None:
    _, offered = run_to_refusal(1e308)
    assert offered
    assert offered[-1] is None
