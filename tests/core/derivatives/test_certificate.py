"""The certificate: right gradients pass, a wrong element does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.convention import Convention
from core.derivatives.certificate import Certificate, certify
from core.layers.add import Add
from core.layers.dense import Dense
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.upstream import Upstream
from core.problem import Problem
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import solved

LAYERS = [
    Dense(units=5, activation="tanh", name="a"),
    Dense(units=5, activation="gelu", name="b"),
    Add(inputs=["a", "b"]),
    Dense(units=3, activation="sigmoid", name="out"),
]


def problem_of(**fields: Any) -> Problem:
    """A network with a skip connection and 6 examples."""
    fields.setdefault("loss", BinaryCrossEntropy(l2=0.01))
    shape = (4, 6) if fields.get("convention") == "column" else (6, 4)
    if fields["loss"].needs_targets:
        targets = np.random.default_rng(3).random((6, 3))
        fields["targets"] = targets.T if fields.get("convention") == "column" else targets
    return sampled(LAYERS, {"input": shape}, **fields)


def certificate_of(problem: Problem) -> Certificate:
    """Of the problem's own gradients."""
    gradients = solved(problem).gradients
    return certify(problem, gradients.gradients, gradients.input_gradients)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_right_gradients_are_certified(convention: Convention) -> None:
    certificate = certificate_of(problem_of(convention=convention))
    assert certificate.method == "complex_step"
    assert certificate.relative_error < 1e-12
    assert certificate.from_gradients == pytest.approx(certificate.directional_derivative, rel=1e-10)


def test_an_upstream_gradient_is_certified() -> None:
    assert certificate_of(problem_of(loss=Upstream())).relative_error < 1e-12


def test_float32_gradients_are_certified_to_their_precision() -> None:
    assert 1e-12 < certificate_of(problem_of(dtype="float32")).relative_error < 1e-5


@pytest.mark.parametrize(
    ("layer", "name", "index"), [("a", "weight", (0, 0)), ("b", "bias", (2,)), ("out", "weight", (4, 1))]
)
def test_one_wrong_element_is_not_certified(layer: str, name: str, index: tuple[int, ...]) -> None:
    problem = problem_of()
    gradients = solved(problem).gradients
    gradients.gradients[layer][name][index] *= 1.001
    assert certify(problem, gradients.gradients, gradients.input_gradients).relative_error > 1e-8


def test_one_wrong_input_gradient_is_not_certified() -> None:
    problem = problem_of()
    gradients = solved(problem).gradients
    gradients.input_gradients["input"][5, 3] += 1e-3
    assert certify(problem, gradients.gradients, gradients.input_gradients).relative_error > 1e-6


def test_the_same_problem_has_the_same_certificate() -> None:
    assert certificate_of(problem_of()) == certificate_of(problem_of())


def test_gradients_of_zero_are_certified() -> None:
    problem = problem_of(loss=Upstream(), upstream=np.zeros((6, 3)))
    certificate = certificate_of(problem)
    assert (certificate.directional_derivative, certificate.relative_error) == (0.0, 0.0)
