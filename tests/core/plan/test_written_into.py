"""Numbers that are written into a plan give the bits that a new plan gives, and nothing is written where it does not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.convention import Convention
from core.layers import KINDS, Layer
from core.layers.dense import Dense
from core.layers.dropout import Dropout
from core.losses.half_squared_error import HalfSquaredError
from core.plan import Plan, Retain
from core.problem import Problem
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.losses.loss_cases import CASES as LOSS_CASES
from tests.core.losses.loss_cases import Case as LossCase
from tests.core.sample import CONVENTIONS, sampled
from tests.core.test_graphs import GRAPHS
from tests.gradient import gradients_of

EVERYTHING = Retain(preactivations=True, deltas=True, input_gradients=True)


def run(plan: Plan) -> dict[str, bytes]:
    """The bits of everything that a run of a plan gives."""
    plan.forward()
    plan.backward()
    shown: dict[str, Any] = {"output": plan.output, "loss": plan.loss.total, "per example": plan.loss.per_example()}
    parts = ("preactivations", "activations", "new_state", "reported")
    shown |= {part: getattr(plan, part) for part in parts}
    shown |= {"deltas": plan.gradients.deltas, "gradients": gradients_of(plan)}
    return bits(shown)


def bits(value: Any, path: str = "") -> dict[str, bytes]:
    """The bits of all arrays and numbers by their path."""
    if not isinstance(value, dict):
        return {path: np.asarray(value).tobytes()}
    return {name: found for key, below in value.items() for name, found in bits(below, f"{path}/{key}").items()}


def planned(problem: Problem, **more: Any) -> Plan:
    return problem.plan(retain=EVERYTHING, check_deadline=lambda: None, **more)


def assert_written_like_new(problems: list[Problem]) -> None:
    """One plan takes the numbers of one problem after the other, and then those of the first one again."""
    plan = planned(problems[0], copies=True)
    for problem in [*problems, *problems[:1]]:
        before = frozen(problem)
        assert problem.write_into(plan)
        assert run(plan) == run(planned(problem, copies=True)) == run(planned(problem))
        assert frozen(problem) == before, "the plan wrote into the numbers of the request"


def frozen(problem: Problem) -> dict[str, bytes]:
    """The bits of all numbers of a problem."""
    parts = {"inputs": problem.inputs, "parameters": problem.parameters, "state": problem.state}
    assert problem.objective
    return bits({**parts, "targets": problem.objective.targets, "shares": problem.objective.coefficients})


def extreme(problem: Problem) -> Problem:
    """The same problem with parameters of 0, so that functions are at their kinks."""
    return replace(
        problem,
        parameters={
            layer: {name: np.zeros_like(array) for name, array in named.items()}
            for layer, named in problem.parameters.items()
        },
    )


@pytest.mark.parametrize("turn", range(len(CASES)), ids=lambda turn: CASES[turn].name.replace(" ", "-"))
def test_every_layer(turn: int) -> None:
    case: Case = CASES[turn]
    convention: Convention = CONVENTIONS[turn % 3]
    layers, inputs = case.built(Sizes(3, 2, 2, 3), convention)
    dtype = ("float64", "float32")[turn % 4 == 1]
    problems = [sampled(layers, inputs, convention=convention, seed=seed, dtype=dtype) for seed in range(3)]
    assert_written_like_new([*problems, extreme(problems[1])] if "batch_norm without" not in case.name else problems)


def test_the_cases_have_every_kind() -> None:
    assert {layer.kind for case in CASES for layer in case.built(Sizes(3, 2, 2, 3), "row")[0]} == set(KINDS)


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_graph(graph: str) -> None:
    assert_written_like_new([sampled(*GRAPHS[graph], seed=seed) for seed in range(3)])


@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_loss(case: LossCase, weighted: bool) -> None:
    layers = [Dense(units=3, activation="softmax" if case.kind != "hinge" else "identity")]
    more: dict[str, Any] = {"sample_weight": np.array([1.0, 0, 3, 4])} if weighted and case.kind != "upstream" else {}
    assert_written_like_new([case.problem(layers, (4, 3), seed=seed, **more) for seed in range(3)])


def weighted(weights: list[float], seed: int = 1) -> Problem:
    layers: list[Layer] = [Dense(units=3, activation="tanh"), Dropout(seed=1, drop_probability=0.5)]
    return sampled(layers, {"input": (3, 2)}, loss=HalfSquaredError(), seed=seed, sample_weight=np.array(weights))


@pytest.mark.parametrize("weights", [[1, 2, 4], [1, 2, 2.9999999999999996], [-0.0, 2, 3], [3, 2, 1]])
def test_other_shares_are_refused_and_nothing_is_written(weights: list[float]) -> None:
    plan = planned(weighted([0.0 if weights[0] == 0 else 1, 2, 3]), copies=True)
    before = run(plan)
    assert not weighted(weights, seed=2).write_into(plan)
    assert run(plan) == before


def test_weights_of_the_same_shares_are_accepted() -> None:
    plan = planned(weighted([1, 2, 5]), copies=True)
    assert weighted([2, 4, 10], seed=2).write_into(plan)
    assert run(plan) == run(planned(weighted([2, 4, 10], seed=2)))


def test_a_plan_with_copies_reads_nothing_of_the_request() -> None:
    """Whatever the size: large arrays are used in place without it."""
    for size in (3, 500):
        problem = sampled([Dense(units=size)], {"input": (size, size)})
        plan = planned(problem, copies=True)
        expected = run(plan)
        arrays: list[Array] = [*problem.inputs.values(), *problem.parameters["1"].values()]
        assert not any(np.shares_memory(array, held) for array in arrays for held in
                       (*plan.inputs.values(), *plan.parameters["1"].values()))  # fmt: skip
        for array in arrays:
            array[...] = 7.0
        assert run(plan) == expected
