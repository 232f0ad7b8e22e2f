"""The program of a derivation against the plan: every kind of layer, function and loss, in every convention."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.activations import FUNCTIONS
from core.convention import Convention, layer_parameters, tensor
from core.explaining.derivation_builder import DerivationBuilder, Notation
from core.explaining.script import program
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses import LOSSES as KINDS_OF_LOSS
from core.losses import Loss
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from core.plan import Retain
from core.problem import Problem
from tests.core.activations.activation_cases import OF_POSITIVE_NUMBERS
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.losses.loss_cases import CASES as LOSSES
from tests.core.losses.loss_cases import Case as LossCase
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import solved

SIZES = Sizes(2, 3, 2, 4)
every_convention = pytest.mark.parametrize("convention", CONVENTIONS)


def assert_program_is_the_answer(problem: Problem, notation: Notation = "delta") -> None:
    plan = solved(problem, retain=Retain(preactivations=True, deltas=True, input_gradients=True))
    walk = DerivationBuilder(problem, plan.reported, notation)
    found: dict[str, Any] = {}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(program(walk.steps, list(walk.data.values())), found)
    names = {step.id: step.result.python for step in walk.steps}

    def check(path: str, expected: Any) -> None:
        scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
        np.testing.assert_allclose(found[names[path]], expected, rtol=1e-12, atol=1e-12 * scale, err_msg=path)

    for node in problem.nodes:
        check(f"preactivations.{node.name}", tensor(plan.preactivations[node.name], problem.convention))
        if f"deltas.{node.name}" in names:
            check(f"deltas.{node.name}", tensor(plan.gradients.deltas[node.name], problem.convention))
        gradients = layer_parameters(plan.gradients.gradients[node.name], node.parameters, problem.convention)
        for name, gradient in gradients.items():
            check(f"gradients.{node.name}.{name}", gradient)
    for name, gradient in plan.gradients.input_gradients.items():
        path = "input_gradient" if name == "input" else f"input_gradient.{name}"
        check(path, tensor(gradient, problem.convention))
    if "loss" in names:
        check("loss", plan.loss.total)


@every_convention
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_every_layer(case: Case, convention: Convention) -> None:
    layers, inputs = case.built(SIZES, convention)
    layers = [*layers[:-1], replace(layers[-1], activation="tanh")]
    assert_program_is_the_answer(sampled(layers, inputs, convention=convention, loss=HalfSquaredError(l2=0.3)))


@every_convention
@pytest.mark.parametrize("notation", ["delta", "factors"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function(function: str, notation: Notation, convention: Convention) -> None:
    before = Dense(units=4, activation="exp" if function in OF_POSITIVE_NUMBERS else "tanh")
    layers = [before, Dense(units=3, activation=function)]
    if function in OF_POSITIVE_NUMBERS:
        layers = [replace(before, activation="exp", name="1"), Dense(units=3, activation="square"),
                  Dense(units=2, activation="tanh")]  # fmt: skip
    inputs = {"input": (2, 5) if convention == "column" else (5, 2)}
    assert_program_is_the_answer(sampled(layers, inputs, convention=convention), notation)


@every_convention
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.name)
def test_every_loss(case: LossCase, reduction: str, weighted: bool, convention: Convention) -> None:
    fusing = {
        "identity": [case.kind],
        "softmax": ["cross_entropy", "kullback_leibler"],
        "sigmoid": ["binary_cross_entropy"],
    }
    for function in (function for function, kinds in fusing.items() if case.kind in kinds):
        last = ActivationLayer(function="identity") if function == "identity" else Dense(units=4, activation=function)
        problem = case.problem([last], (3, 4), loss=case.loss(reduction=reduction))
        assert problem.objective
        if weighted and problem.objective.loss.needs_targets:
            shares = np.array([1.0, 2.0, 0.5])
            problem = replace(problem, objective=replace(problem.objective, coefficients=shares))
        assert_program_is_the_answer(replace(problem, convention=convention))


def test_no_loss_is_left_out() -> None:
    assert all(loss.numpy_gradient is not Loss.numpy_gradient for loss in KINDS_OF_LOSS.values())


def test_upstream() -> None:
    assert_program_is_the_answer(sampled([Dense(units=2)], {"input": (3, 4)}, loss=Upstream()))
