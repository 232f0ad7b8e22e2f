"""Every kind of layer, activation and loss, in every convention: what the server computes is a correct submission."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.activations import FUNCTIONS
from core.checking import Checker, SubmissionSpec, Tolerance
from core.convention import Convention, layer_parameters, tensor
from core.layers import KINDS
from core.plan import Retain
from core.problem import Problem
from tests.core.activations.activation_cases import OF_POSITIVE_NUMBERS
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.layers.test_every_layer import problem_of
from tests.core.losses.loss_cases import CASES as LOSS_CASES
from tests.core.losses.loss_cases import Case as LossCase
from tests.core.sample import CONVENTIONS, sampled

pytestmark = pytest.mark.slow

SIZES = Sizes(3, 4, 2, 3)


def submitted(problem: Problem) -> SubmissionSpec:
    """The server's own answer, as the convention writes it."""
    plan = problem.plan(retain=Retain(preactivations=True, deltas=True, input_gradients=True))
    plan.forward()
    plan.backward()

    def written(arrays: Any) -> dict[str, Any]:
        return {name: np.array(tensor(array, problem.convention)) for name, array in arrays.items()}

    nodes = {node.name: node for node in problem.nodes}
    return SubmissionSpec(
        preactivations=written(plan.preactivations),
        activations=written(plan.activations),
        deltas=written(plan.gradients.deltas),
        gradients={
            name: layer_parameters(
                {each: np.array(array) for each, array in named.items()}, nodes[name].parameters, problem.convention
            )
            for name, named in plan.gradients.gradients.items()
        },
        input_gradient=written(plan.gradients.input_gradients),
    )


def assert_correct(problem: Problem) -> None:
    examination = Checker(problem, lambda: None)
    for submission in (None, submitted(problem)):
        report = examination.report(submission, set(), Tolerance())
        assert report.verdict == "correct", report.summary
        assert not report.blame
        assert report.oracle is not None
        assert report.oracle.error < (1e-12 if report.oracle.method == "complex_step" else 1e-6)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_every_layer(case: Case, convention: Convention) -> None:
    assert_correct(problem_of(case, SIZES, convention, activation="tanh", behind=True))


@pytest.mark.parametrize("convention", ["row", "torch"])
@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.name)
def test_every_loss(case: LossCase, convention: Convention) -> None:
    last: Any = KINDS["activation"]
    assert_correct(case.problem([last(function="identity")], (4, 3), convention=convention))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_activation(function: str, convention: Convention) -> None:
    dense, layer = (KINDS[kind] for kind in ("dense", "activation"))
    inner: Any = "softplus" if function in OF_POSITIVE_NUMBERS else "tanh"
    wide: Any = "softplus"
    if function == "reciprocal":  # It magnifies the rounding of small numbers: those of a complex softplus, for one.
        inner = wide = "sigmoid"
    layers: list[Any] = [
        dense(units=4, activation=inner, name="hidden"),  # type: ignore[call-arg]
        layer(function=function, name="alone"),  # type: ignore[call-arg]
        dense(units=3, activation=wide, name="wide"),  # type: ignore[call-arg]
        layer(function="identity", activation=function),  # type: ignore[call-arg]
    ]
    assert_correct(sampled(layers, {"input": (2, 5) if convention == "column" else (5, 2)}, convention=convention))
