"""Gradients of single examples: against a run with each example alone, for every kind of layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.arrays import Array
from core.convention import Convention
from core.derivatives import per_example
from core.plan import Objective
from core.problem import Problem
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import build_plan

SIZES = Sizes(3, 2, 2, 4)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


def problem_of(case: Case, convention: Convention) -> Problem:
    (*before, layer), inputs = case.built(SIZES, convention)
    return sampled([*before, replace(layer, activation="tanh")], inputs, convention=convention)


def moved(problem: Problem, example: int) -> Problem:
    """The same problem with other numbers in one example; class numbers change places."""
    inputs = {name: array.copy() for name, array in problem.inputs.items()}
    for array in inputs.values():
        array[example] = array[(example + 1) % len(array)] * (1 if problem.nodes[0].layer.reads_classes else 1.25)
    return replace(problem, inputs=inputs)


def output(problem: Problem) -> Array:
    plan = build_plan(problem, backward=False)
    plan.forward()
    return plan.output.copy()


@pytest.mark.parametrize("convention", CONVENTIONS)
@every_case
def test_a_kind_that_does_not_couple_the_examples_says_so(case: Case, convention: Convention) -> None:
    problem = problem_of(case, convention)
    if per_example.coupling(problem):
        return
    before, after = output(problem), output(moved(problem, 0))
    others = slice(1, None)
    np.testing.assert_allclose(after[others], before[others], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("convention", CONVENTIONS)
@every_case
def test_every_example_has_the_gradient_that_it_has_alone(case: Case, convention: Convention) -> None:
    problem = problem_of(case, convention)
    if per_example.coupling(problem) or problem.objective is None:
        return
    plan = per_example.plan_apart(problem)
    found = per_example.gradients(plan)
    squares = np.zeros(len(plan.output))
    for example in range(len(plan.output)):
        coefficients = np.eye(len(plan.output))[example]
        alone = replace(
            problem, objective=Objective(problem.objective.loss, problem.objective.targets, coefficients=coefficients)
        )
        expected = build_plan(alone)
        expected.forward()
        expected.backward()
        for layer, named in expected.gradients.gradients.items():
            for name, array in named.items():
                np.testing.assert_allclose(found[layer][name][example], array, rtol=1e-12, atol=1e-13)
                squares[example] += np.sum(array**2)
    np.testing.assert_allclose(per_example.norms(plan), np.sqrt(squares), rtol=1e-12)


def test_some_kinds_couple_the_examples() -> None:
    coupled = {case.layer(SIZES).kind for case in CASES if per_example.coupling(problem_of(case, "row"))}
    assert coupled == {"batch_norm", "transpose", "reduce_sum", "reduce_mean", "concatenate", "matmul", "add", "multiply",
                       "subtract", "svd", "eigh", "matrix_log", "matrix_power", "second_order_pooling", "slice",
                       "reduce_max"}  # fmt: skip
