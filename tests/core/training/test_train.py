"""The training loop: it learns, it says what it did, and it goes on from a state with the same bits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Refusal
from core.layers.batch_norm import BatchNorm
from core.layers.dense import Dense
from core.layers.dropout import Dropout
from core.losses.base import Loss
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers import OPTIMIZERS
from core.optimizers.adam import Adam
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import EarlyStopping, Epoch, Recipe, TrainingState, result_of, train


def problem_of(layers: list[Any], loss: Loss, *, examples: int = 23, outputs: int = 3, **more: Any) -> Problem:
    generator = np.random.default_rng(7)
    targets = (
        generator.integers(0, outputs, examples)
        if loss.takes_class_indices
        else generator.normal(size=(examples, outputs))
    )
    inputs = generator.normal(size=(examples, 4))
    return validate(ProblemSpec(layers=layers, inputs={"input": inputs}, loss=loss, targets=targets, seed=1, **more))


def layers_with_state() -> list[Any]:
    return [
        Dense(units=6, activation="relu"),
        BatchNorm(),
        Dropout(drop_probability=0.3, seed=5),
        Dense(units=3),
    ]


def digest(state: TrainingState) -> dict[str, bytes]:
    return {path: array.tobytes() for path, array in state.tensors().items()}


def last(epochs: Iterator[Epoch]) -> Epoch:
    return list(epochs)[-1]


@settings(max_examples=30, deadline=None)
@given(
    optimizer=st.sampled_from(list(OPTIMIZERS.values())),
    pause=st.integers(1, 5),
    batch_size=st.integers(2, 30),
    dtype=st.sampled_from(["float64", "float32"]),
    held=st.sampled_from([0.0, 0.25]),
    patience=st.sampled_from([None, 2]),
)
def test_a_run_that_is_taken_up_again_ends_with_the_same_bits(
    optimizer: Any, pause: int, batch_size: int, dtype: Any, held: float, patience: int | None
) -> None:
    problem = problem_of(layers_with_state(), SoftmaxCrossEntropy(), dtype=dtype)
    recipe = Recipe(
        optimizer=optimizer(learning_rate=0.02, gradient_clip_norm=5.0),
        epochs=6,
        batch_size=batch_size if batch_size < 20 else 64,
        seed=3,
        validation_fraction=held,
        early_stopping=(patience and EarlyStopping(patience)) or None,
    )
    whole = [(epoch.report, epoch.state()) for epoch in train(problem, recipe)]
    before = whole[min(pause, len(whole)) - 1][1]
    restored = TrainingState.restore(before.tensors(), json.loads(json.dumps(before.notes())))
    again = [(epoch.report, epoch.state()) for epoch in train(problem, recipe, restored)]
    assert [report for report, _ in again] == [report for report, _ in whole[before.epoch :]]
    assert [digest(state) for _, state in again] == [digest(state) for _, state in whole[before.epoch :]]


def test_xor_is_learned() -> None:
    sent = ProblemSpec(
        layers=[Dense(units=4, activation="tanh"), Dense(units=1)],
        inputs={"input": np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])},
        targets=np.array([[0.0], [1], [1], [0]]),
        loss=MeanSquaredError(),
        seed=2,
    )
    recipe = Recipe(optimizer=Adam(learning_rate=0.05), epochs=400, batch_size=4)
    report = last(train(validate(sent), recipe)).report
    assert report.loss < 1e-3
    assert report.metrics["r_squared"] > 0.99
    assert report.steps == 400


def test_an_epoch_of_one_step_reports_the_loss_of_the_batch() -> None:
    problem = problem_of([Dense(units=3)], MeanSquaredError(l2=0.1), sample_weight=np.linspace(1, 2, 23))
    report = next(train(problem, Recipe(optimizer=Sgd(learning_rate=0.1), epochs=1, batch_size=99))).report
    plan = problem.plan()
    plan.forward()
    plan.backward()
    assert report.loss == pytest.approx(float(plan.loss.total))
    gradient = plan.gradients.gradients["1"]
    norm = np.sqrt(sum(float(np.sum(array**2)) for array in gradient.values()))
    assert report.gradient_norms == {"1": pytest.approx(norm)}
    weights = np.sqrt(sum(float(np.sum(array**2)) for array in plan.parameters["1"].values()))
    assert report.update_to_weight["1"] == pytest.approx(0.1 * norm / weights)


def test_validation_is_of_examples_that_are_never_trained_on() -> None:
    problem = problem_of([Dense(units=3)], MeanSquaredError(), examples=20)
    recipe = Recipe(optimizer=Sgd(learning_rate=0.01), epochs=1, batch_size=50, shuffle=False, validation_fraction=0.25)
    epoch = next(train(problem, recipe))
    trained = epoch.state().parameters["1"]
    assert problem.objective is not None
    inputs, targets = problem.inputs["input"][15:], problem.objective.targets[15:]
    output = inputs @ trained["weight"] + trained["bias"]
    assert epoch.report.validation_metrics["mean_squared_error"] == pytest.approx(np.mean((output - targets) ** 2))
    plain = validate(
        ProblemSpec(
            layers=[Dense(units=3)],
            inputs={"input": problem.inputs["input"][:15]},
            loss=MeanSquaredError(),
            targets=problem.objective.targets[:15],
            parameters=problem.parameters,
        )
    )
    alone = next(train(plain, replace(recipe, validation_fraction=0.0))).state().parameters["1"]
    np.testing.assert_array_equal(alone["weight"], trained["weight"])


def test_early_stopping_returns_the_best_epoch() -> None:
    problem = problem_of([Dense(units=20, activation="tanh"), Dense(units=3)], MeanSquaredError(), examples=12)
    recipe = Recipe(
        optimizer=Sgd(learning_rate=0.2),
        epochs=500,
        batch_size=4,
        validation_fraction=0.5,
        early_stopping=EarlyStopping(3),
    )
    epochs, results = [], {}
    for epoch in train(problem, recipe):
        epochs.append(epoch)
        results[epoch.report.epoch] = epoch.state()
    losses = [epoch.report.validation_loss for epoch in epochs]
    best = int(np.argmin(losses)) + 1  # type: ignore[arg-type]
    assert epochs[-1].reason == "early-stopping"
    assert len(epochs) == best + 3
    parameters, _ = result_of(results[len(epochs)])
    np.testing.assert_array_equal(parameters["1"]["weight"], results[best].parameters["1"]["weight"])


def test_dead_units_are_counted() -> None:
    dead = {"1": {"weight": np.zeros((4, 2)), "bias": np.array([-1.0, 1.0])}}
    problem = problem_of([Dense(units=2, activation="relu"), Dense(units=3)], MeanSquaredError(), parameters=dead)
    report = next(train(problem, Recipe(optimizer=Sgd(learning_rate=0.0), epochs=1))).report
    assert report.dead_units == {"1": 1}


def test_divergence_names_the_epoch_and_the_first_layer() -> None:
    problem = problem_of([Dense(units=5), Dense(units=3)], MeanSquaredError())
    with pytest.raises(Refusal) as caught:
        list(train(problem, Recipe(optimizer=Sgd(learning_rate=1e30), epochs=50, batch_size=8)))
    issue = caught.value.issues[0]
    assert issue.code == "non-finite"
    assert "epoch" in issue.detail and "step" in issue.detail and "layer '2'" in issue.detail


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_a_split_leaves_examples_on_both_sides(fraction: float) -> None:
    problem = problem_of([Dense(units=3)], MeanSquaredError())
    with pytest.raises(Refusal) as caught:
        train(problem, Recipe(optimizer=Sgd(learning_rate=0.1), epochs=1, validation_fraction=fraction))
    assert caught.value.issues[0].path == ("validation_fraction",)


def test_frozen_parameters_stay() -> None:
    problem = problem_of([Dense(units=5, activation="tanh"), Dense(units=3)], MeanSquaredError())
    state = last(train(problem, Recipe(optimizer=Sgd(learning_rate=0.1), epochs=2, freeze=("1.weight",)))).state()
    np.testing.assert_array_equal(state.parameters["1"]["weight"], problem.parameters["1"]["weight"])
    assert not np.array_equal(state.parameters["2"]["weight"], problem.parameters["2"]["weight"])


def test_the_parameters_of_the_problem_are_not_moved() -> None:
    problem = problem_of([Dense(units=30_000, activation="tanh"), Dense(units=3)], MeanSquaredError())
    for named in problem.parameters.values():
        for array in named.values():
            array.setflags(write=False)
    state = last(train(problem, Recipe(optimizer=Sgd(learning_rate=0.1), epochs=1))).state()
    assert not np.array_equal(state.parameters["1"]["weight"], problem.parameters["1"]["weight"])


def test_a_run_goes_on_from_arrays_that_cannot_be_written_to() -> None:
    layers = [Dense(units=160, activation="relu"), BatchNorm(), Dropout(drop_probability=0.2, seed=3), Dense(units=3)]
    problem = problem_of(layers, SoftmaxCrossEntropy(), examples=1200)
    recipe = Recipe(optimizer=Adam(learning_rate=0.01), epochs=3, validation_fraction=0.5)
    whole = [(epoch.report, epoch.state()) for epoch in train(problem, recipe)]
    tensors = whole[0][1].tensors()
    for array in tensors.values():
        array.setflags(write=False)
    again = [
        (epoch.report, epoch.state())
        for epoch in train(problem, recipe, TrainingState.restore(tensors, whole[0][1].notes()))
    ]
    assert [report for report, _ in again] == [report for report, _ in whole[1:]]
    assert digest(again[-1][1]) == digest(whole[-1][1])
