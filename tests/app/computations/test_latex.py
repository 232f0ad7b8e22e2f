"""Every LaTeX string that the service can print goes through the converter to MathML and comes out whole."""

from __future__ import annotations

import re
from dataclasses import replace
from string import Template
from typing import Any

import numpy as np
import pytest

from app.computations.explain.page import math, numbers, sentence
from core.activations import FUNCTIONS
from core.checking.equations import Equations
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Mistake
from core.checking.products import written
from core.checking.quantity import quantities
from core.checking.trace import Network
from core.convention import Convention
from core.explaining.derivation_builder import DerivationBuilder
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses import LOSSES
from core.losses.half_squared_error import HalfSquaredError
from core.problem import Problem
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.losses.loss_cases import CASES as LOSS_CASES
from tests.core.losses.loss_cases import Case as LossCase
from tests.core.sample import CONVENTIONS, sampled

pytestmark = pytest.mark.slow

BARE = re.compile(r"(?<![\\A-Za-z])(tfrac|frac|cdot|text|circ|sum|left|right|top|partial|quad|mathrm|delta)(?![a-z])")
"""A command that has lost its backslash."""


def assert_whole(latex: str) -> None:
    """Braces match, no command lost its backslash, and none is left over in the MathML."""
    assert latex.count("{") == latex.count("}"), latex
    plain = re.sub(r"\\(text|texttt|operatorname|mathrm)\{[^{}]*\}", "", latex)
    assert not BARE.search(plain), latex
    assert "\\" not in math(latex), (latex, math(latex))


def assert_derivation_is_whole(problem: Problem) -> None:
    with np.errstate(all="ignore"):
        reported = {name: rules.reported for name, rules in Network(problem).layer_rules.items()}
        for notation in ("delta", "factors"):
            for step in DerivationBuilder(problem, reported, notation).steps:
                assert_whole(step.latex)
                assert "\\" not in math(step.shapes)
                assert "\\" not in numbers(step.numbers(4, 12))
                assert "\\" not in sentence(step.equation.because)
    equations = Equations(Network(problem))
    for quantity in quantities(Network(problem)):
        assert_whole(equations.rule(quantity).latex)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_the_wrong_formula_of_every_mistake(mistake: type[Mistake], convention: Convention) -> None:
    filled = Template(mistake.wrong).safe_substitute(n=4, K=3, layer="1", f="tanh", parameter="weight")
    assert_whole(written(filled, convention))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_every_layer(case: Case, convention: Convention) -> None:
    layers, inputs = case.built(Sizes(2, 3, 2, 4), convention)
    layers = [*layers[:-1], replace(layers[-1], activation="tanh")]
    assert_derivation_is_whole(sampled(layers, inputs, convention=convention, loss=HalfSquaredError(l2=0.3)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function(function: str) -> None:
    assert_whole(FUNCTIONS[function].formula)
    assert_whole(FUNCTIONS[function].derivative)
    layers = [Dense(units=4, activation="exp"), Dense(units=3, activation="square"), ActivationLayer(function=function)]
    assert_derivation_is_whole(sampled(layers, {"input": (5, 2)}))


@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.name)
def test_every_loss(case: LossCase) -> None:
    problem = case.problem([ActivationLayer(function="identity")], (3, 4), loss=case.loss(reduction="mean"))
    assert problem.objective
    assert_whole(problem.objective.loss.batch_formula())
    assert_derivation_is_whole(problem)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_formula_of_every_loss(kind: str) -> None:
    made: Any = LOSSES[kind]
    assert_whole(made().batch_formula())


def test_the_vector_of_ones_is_bold() -> None:
    assert "\U0001d7cf" in math(r"\delta^\top \mathbf{1}")
