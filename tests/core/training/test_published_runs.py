"""Training runs that others have printed, reproduced by the training loop to the last digit that they print."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from core.layers.dense import Dense
from core.losses.half_squared_error import HalfSquaredError
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Epoch, Recipe, train
from tests.golden.cases import expected, problem_of

pytestmark = pytest.mark.slow

TRASK_ERRORS = {
    1: "0.496410031903",
    10001: "0.00858452565325",
    20001: "0.00578945986251",
    30001: "0.00462917677677",
    40001: "0.00395876528027",
    50001: "0.00351012256786",
}
"""Mean |error| by epoch, before its update. Andrew Trask, A Neural Network in 11 lines of Python (Part 1), 2015: the
network with three layers, which prints it every 10000 iterations."""


def printed(name: str, check: str) -> dict[str, Any]:
    desired, tolerance = expected(name, check)
    return {"desired": desired, "rtol": 0, "atol": tolerance}


def after(problem: Problem, epochs: int, rate: float, *, freeze: tuple[str, ...] = ()) -> Epoch:
    recipe = Recipe(optimizer=Sgd(learning_rate=rate), epochs=epochs, batch_size=99, shuffle=False, freeze=freeze)
    *_, last = train(problem, recipe)
    return last


def outputs(problem: Problem, epoch: Epoch) -> Any:
    plan = problem.plan(parameters=epoch.state().parameters)
    plan.forward()
    return plan.output


def test_trask_s_two_layers() -> None:
    problem = problem_of("trask_2layer")
    weight = after(problem, 10_000, 1.0).state().parameters["1"]["weight"]
    np.testing.assert_allclose(weight[:, 0], **printed("trask_2layer", "syn0 after 10000 updates"))
    found = outputs(problem, after(problem, 9_999, 1.0))[:, 0]
    np.testing.assert_allclose(found, **printed("trask_2layer", "l1 at the last of 10000 iterations"))


def test_trask_s_three_layers_learn_xor_with_the_errors_that_he_prints() -> None:
    random = np.random.RandomState(1)
    first, second = 2 * random.random_sample((3, 4)) - 1, 2 * random.random_sample((4, 1)) - 1
    problem = validate(
        ProblemSpec(
            layers=[Dense(units=4, activation="sigmoid", bias=False), Dense(units=1, activation="sigmoid", bias=False)],
            inputs={"input": np.array([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])},
            parameters={"1": {"weight": first}, "2": {"weight": second}},
            targets=np.array([[0.0], [1], [1], [0]]),
            loss=HalfSquaredError(reduction="sum"),
        )
    )
    recipe = Recipe(optimizer=Sgd(learning_rate=1.0), epochs=60_000, batch_size=4, shuffle=False)
    errors = {
        epoch.report.epoch: epoch.report.metrics["mean_absolute_error"]
        for epoch in islice(train(problem, recipe), max(TRASK_ERRORS))
        if epoch.report.epoch in TRASK_ERRORS
    }
    assert {number: f"{error:.12g}" for number, error in errors.items()} == TRASK_ERRORS


def test_nielsen_s_neuron_learns_slowly() -> None:
    problem = problem_of("nielsen_ch3_w0.6")
    found = outputs(problem, after(problem, 300, 0.15))
    np.testing.assert_allclose(found, **printed("nielsen_ch3_w0.6", "output after 300 epochs"))


@pytest.mark.parametrize(("epochs", "error"), [(1, 0.291027774), (9_999, 0.0000351085)])
def test_mazur_s_network_with_frozen_biases(epochs: int, error: float) -> None:
    """The first error as it must be (the post's own is a mistake, see the golden file), the second as copies print it."""
    problem = problem_of("mazur_2015_update")
    plan = problem.plan(parameters=after(problem, epochs, 0.5, freeze=("1.bias", "2.bias")).state().parameters)
    plan.forward()
    assert plan.loss.total == pytest.approx(error, abs=6e-10)
