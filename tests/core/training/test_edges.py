"""Where a run begins in the middle, moves nothing, or leaves the finite numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import Refusal
from core.layers.dense import Dense
from core.losses.mean_absolute_error import MeanAbsoluteError
from core.losses.mean_squared_error import MeanSquaredError
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe, train
from core.training.minibatches import Minibatches

RNG = np.random.default_rng(9)


def problem_of(features: int, examples: int, **more: Any) -> Problem:
    sent: dict[str, Any] = {
        "layers": [Dense(units=2)],
        "inputs": {"input": RNG.normal(size=(examples, features))},
        "targets": RNG.normal(size=(examples, 2)),
        "loss": MeanSquaredError(),
        "seed": 1,
    }
    return validate(ProblemSpec(**sent | more))


def test_a_run_may_begin_with_the_smaller_last_part() -> None:
    """The one has its inputs copied beside a column of ones, the other is too large for that."""
    problem = problem_of(1000, 1000)
    parts = Minibatches(problem, 600, shuffle=True, seed=2)
    for step in (1, 2, 3, 0):
        plan = parts.plan(step)
        chosen = parts.order[parts.chosen]
        np.testing.assert_array_equal(plan.inputs["input"], problem.inputs["input"][chosen])


def test_nothing_moves_where_all_is_frozen() -> None:
    problem = problem_of(3, 6)
    freeze = ("1.weight", "1.bias")
    recipe = Recipe(optimizer=Sgd(learning_rate={}), epochs=2, batch_size=4, freeze=freeze, rates={})
    *_, last = train(problem, recipe)
    assert last.report.learning_rate == 0
    np.testing.assert_array_equal(last.state().parameters["1"]["weight"], problem.parameters["1"]["weight"])


def test_what_was_frozen_may_learn_later() -> None:
    problem = problem_of(3, 6)
    recipe = Recipe(optimizer=Sgd(learning_rate=0.1, momentum=0.9), epochs=2, batch_size=4, freeze=("1.bias",))
    *_, last = train(problem, recipe)
    *_, later = train(problem, replace(recipe, epochs=4, freeze=()), last.state())
    assert np.abs(later.state().parameters["1"]["bias"]).min() > 0


DIVERGENT: dict[str, tuple[dict[str, Any], float, str]] = {
    "a step too long": ({}, 1e308, "moved the weight of layer '1' beyond all finite numbers"),
    "a loss too large": ({"targets": np.full((6, 2), 1e200)}, 0.1, "The loss of layer '1' is infinite"),
    "losses too large together": (
        {"targets": np.full((6, 2), 6e307), "loss": MeanAbsoluteError(reduction="sum")},
        0.1,
        "the losses of all steps together",
    ),
}


@pytest.mark.parametrize("case", DIVERGENT)
def test_what_is_beyond_all_numbers_is_said_where_it_is(case: str) -> None:
    more, rate, words = DIVERGENT[case]
    recipe = Recipe(optimizer=Sgd(learning_rate=rate), epochs=3, batch_size=1)
    problem = problem_of(3, 6, **more)
    with pytest.raises(Refusal) as refused:
        list(train(replace(problem, inputs={"input": 100 * problem.inputs["input"]}), recipe))
    (issue,) = refused.value.issues
    assert issue.code == "non-finite"
    assert words in issue.detail
