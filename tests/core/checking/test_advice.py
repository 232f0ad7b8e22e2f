"""Advice that is printed is advice that was run: every rule and every fix that the checker can print is executed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.activations import FUNCTIONS
from core.arrays import Array
from core.checking.equations import Equations, step_id
from core.checking.formulas import RIGHT
from core.checking.quantity import Quantity, quantities, run, value_in
from core.checking.trace import Network
from core.convention import Convention, layer_parameters, tensor
from core.explaining.derivation_builder import DerivationBuilder
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from core.problem import Problem
from tests.core.activations.activation_cases import OF_POSITIVE_NUMBERS
from tests.core.checking.campaign.dense import Trial
from tests.core.checking.test_known_mistakes import SAMPLE
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.losses.loss_cases import CASES as LOSSES
from tests.core.losses.loss_cases import Case as LossCase
from tests.core.sample import CONVENTIONS, sampled

pytestmark = pytest.mark.slow

SIZES = Sizes(2, 3, 2, 4)
every_convention = pytest.mark.parametrize("convention", CONVENTIONS)


class Desk:
    """What somebody who solves a problem by hand has in variables, under the names of the derivation, all of it right."""

    def __init__(self, problem: Problem) -> None:
        self.network = Network(problem)
        self.equations = Equations(self.network)
        reported = {name: rules.reported for name, rules in self.network.layer_rules.items()}
        with np.errstate(all="ignore"):
            self.trace = run(self.network, RIGHT)
            builder = DerivationBuilder(problem, reported, "delta")
        self.names = {step.id: step.result.python for step in builder.steps}
        self.given = {symbol.python: symbol.value for symbol in builder.data.values()}
        self.given |= {
            step.result.python: step.result.value
            for step in builder.steps
            if step.id.split(".")[0] in ("preactivations", "activations", "deltas") and ".part" not in step.id
        }

    def expected(self, quantity: Quantity) -> Array:
        """The quantity as the checker's own rules compute it, in the caller's convention."""
        value = value_in(self.trace, quantity, RIGHT)
        convention = self.network.convention
        if quantity.part == "gradients":
            parameters = self.network.nodes[quantity.layer].parameters
            return layer_parameters({quantity.name: value}, parameters, convention)[quantity.name]
        return value if quantity.part == "loss" else tensor(value, convention)

    def assert_right(self, lines: str, quantity: Quantity, **more: Any) -> None:
        """Run lines of NumPy that should compute a quantity."""
        name = self.names.get(step_id(quantity)) or lines.rpartition("\n")[2].partition(" = ")[0]
        namespace = {"np": np, **self.given, **more}
        namespace.pop(name, None)
        with np.errstate(all="ignore"):
            exec(lines, namespace)
        expected = self.expected(quantity)
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(namespace[name], expected, rtol=1e-9, atol=1e-9 * scale, err_msg=lines)

    def assert_every_rule_is_right(self) -> None:
        """Run the rule of every quantity."""
        for quantity in quantities(self.network):
            rule = self.equations.rule(quantity)
            assert rule.latex
            self.assert_right(rule.numpy, quantity)


@every_convention
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_every_layer(case: Case, convention: Convention) -> None:
    layers, inputs = case.built(SIZES, convention)
    layers = [*layers[:-1], replace(layers[-1], activation="tanh")]
    Desk(sampled(layers, inputs, convention=convention, loss=HalfSquaredError(l2=0.3))).assert_every_rule_is_right()


@every_convention
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function(function: str, convention: Convention) -> None:
    """Hidden and at the output; log and sqrt of what exp and square make."""
    before = Dense(units=4, activation="tanh")
    layers: list[Layer] = [before, Dense(units=3, activation=function), Dense(units=3, activation=function)]
    if function in OF_POSITIVE_NUMBERS:
        square = Dense(units=3, activation="square")
        layers = [before, square, ActivationLayer(function=function), square, ActivationLayer(function=function)]
    inputs = {"input": (2, 5) if convention == "column" else (5, 2)}
    Desk(sampled(layers, inputs, convention=convention)).assert_every_rule_is_right()


@every_convention
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.name)
def test_every_loss(case: LossCase, reduction: str, weighted: bool, convention: Convention) -> None:
    last = ActivationLayer(function="identity")
    problem = case.problem([last], (3, 4), loss=case.loss(reduction=reduction))
    assert problem.objective
    if weighted and problem.objective.loss.needs_targets:
        shares = np.array([1.0, 2.0, 0.5])
        problem = replace(problem, objective=replace(problem.objective, coefficients=shares))
    Desk(replace(problem, convention=convention)).assert_every_rule_is_right()


def test_upstream() -> None:
    Desk(sampled([Dense(units=2)], {"input": (3, 4)}, loss=Upstream())).assert_every_rule_is_right()


@pytest.mark.parametrize("trial", SAMPLE, ids=str)
def test_the_fix_of_a_mistake_repairs_it(trial: Trial) -> None:
    (blame,) = trial.report().blame
    desk = Desk(trial.exercise.problem(trial.convention))
    labels = trial.exercise.Y.argmax(axis=1)
    from_one = "y) - 1]" in blame.fix.numpy
    desk.assert_right(blame.fix.numpy, blame.quantity, y=labels + from_one, K=trial.exercise.Y.shape[1])
