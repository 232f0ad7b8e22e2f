"""Networks whose examples depend on one another: there are no parts of their batch, and no order to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import Refusal
from core.layers.batch_norm import BatchNorm
from core.layers.dense import Dense
from core.layers.matmul import Matmul
from core.layers.reduce_mean import ReduceMean
from core.layers.transpose import Transpose
from core.losses.mean_squared_error import MeanSquaredError
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe, train

RNG = np.random.default_rng(4)
NODES, X = RNG.normal(size=(6, 6)), RNG.normal(size=(6, 4))
GRAPH = [Matmul(name="read", inputs=["adjacency", "X"]), Dense(units=3)]
COUPLED: dict[str, tuple[list[Any], dict[str, Any], Any]] = {
    "a graph": (GRAPH, {"adjacency": NODES, "X": X}, RNG.normal(size=(6, 3))),
    "a mean over examples": ([Dense(units=3), ReduceMean(axis=0)], {"input": X}, RNG.normal(size=3)),
    "examples turned into features": ([Dense(units=5), Transpose()], {"input": X}, RNG.normal(size=(5, 6))),
    "a matrix that is no example": (
        [Dense(units=3, name="d", inputs=["X"]), Matmul(inputs=["d", "M"])],
        {"X": X, "M": RNG.normal(size=(3, 2))},
        RNG.normal(size=(6, 2)),
    ),
}


def problem_of(layers: list[Any], inputs: dict[str, Any], targets: Any) -> Problem:
    return validate(ProblemSpec(layers=layers, inputs=inputs, targets=targets, loss=MeanSquaredError(), seed=1))


@pytest.mark.parametrize("case", COUPLED)
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_step_has_the_batch_as_it_was_sent(case: str, shuffle: bool) -> None:
    problem = problem_of(*COUPLED[case])
    recipe = Recipe(optimizer=Sgd(learning_rate=0.1), epochs=2, batch_size=100, shuffle=shuffle)
    first, second = (epoch.report.loss for epoch in train(problem, recipe))
    plan = problem.plan()
    for reported in (first, second):
        plan.forward()
        plan.backward()
        assert reported == pytest.approx(float(plan.loss.total), rel=1e-12)
        for layer, named in plan.gradients.gradients.items():
            for name, gradient in named.items():
                plan.parameters[layer][name][...] -= 0.1 * gradient


@pytest.mark.parametrize(
    "layers",
    [[Dense(units=3), ReduceMean(axis=0)], [BatchNorm(name="b"), Transpose(name="t"), Matmul(inputs=["b", "t"])]],
)
@pytest.mark.parametrize("more", [{"batch_size": 3}, {"validation_fraction": 0.5, "batch_size": 6}])
def test_parts_are_refused_also_behind_batch_norm(layers: list[Any], more: dict[str, Any]) -> None:
    targets = np.zeros(3) if isinstance(layers[-1], ReduceMean) else np.zeros((6, 6))
    recipe = Recipe(optimizer=Sgd(learning_rate=0.1), epochs=1, **more)
    with pytest.raises(Refusal) as refused:
        train(problem_of(layers, {"input": X}, targets), recipe)
    (issue,) = refused.value.issues
    assert issue.code == "unsupported-operator"
    assert issue.path in (("batch_size",), ("validation_fraction",))


def test_batch_norm_alone_is_trained_in_parts() -> None:
    problem = problem_of([Dense(units=3), BatchNorm(), Dense(units=1)], {"input": X}, RNG.normal(size=(6, 1)))
    recipe = Recipe(optimizer=Sgd(learning_rate=0.1), epochs=2, batch_size=2, validation_fraction=1 / 3)
    *_, last = train(problem, recipe)
    assert last.report.steps == 4


def test_running_statistics_move_on_from_step_to_step() -> None:
    problem = problem_of([BatchNorm(momentum=0.25)], {"input": X}, np.zeros((6, 4)))
    recipe = Recipe(optimizer=Sgd(learning_rate=0.1), epochs=2, batch_size=4, shuffle=False)
    *_, last = train(problem, recipe)
    mean, variance = np.zeros(4), np.ones(4)
    for part in (X[:4], X[4:], X[:4], X[4:]):
        mean = 0.75 * mean + 0.25 * part.mean(axis=0)
        variance = 0.75 * variance + 0.25 * part.var(axis=0, ddof=1)
    state = last.state().state["1"]
    np.testing.assert_allclose(state["running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(state["running_variance"], variance, rtol=1e-12)
