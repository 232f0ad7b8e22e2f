"""The certificate where gradients are 0 or nearly so: rounding is no error, and a wrong gradient is still one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.derivatives.certificate import Certificate, certify
from core.layers import Layer
from core.layers.dense import Dense
from core.layers.layer_norm import LayerNorm
from core.losses import Loss
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.cross_entropy import CrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.problem import Problem
from tests.core.sample import sampled
from tests.gradient import solved

SEEDS = range(25)


def network(kind: str, seed: int) -> tuple[list[Layer], Loss]:
    """Layers of random sizes, and a loss."""
    generator = np.random.default_rng(seed)
    hidden, outputs = (int(units) for units in generator.integers(2, 6, 2))
    function = str(generator.choice(["tanh", "sigmoid", "gelu", "relu"]))
    first: list[Layer] = [Dense(units=hidden, activation=function, name="a")]
    if kind == "one output of softmax":
        return [*first, Dense(units=1, activation="softmax")], HalfSquaredError()
    if kind == "dead relu":
        return [*first, Dense(units=3, activation="relu", name="dead"), Dense(units=outputs)], HalfSquaredError()
    if kind == "saturated softmax":
        return [*first, Dense(units=outputs, activation="softmax", name="big")], CrossEntropy()
    if kind == "saturated sigmoid":
        loss = HalfSquaredError() if seed % 2 else BinaryCrossEntropy()
        return [*first, Dense(units=outputs, activation="sigmoid", name="big")], loss
    if kind == "norm of one feature":
        return [*first, Dense(units=1), LayerNorm()], HalfSquaredError()
    return [*first, Dense(units=outputs, name="out")], HalfSquaredError()


def altered(problem: Problem, change: Callable[[str, str, Array], Array]) -> Problem:
    """A problem with other parameters, each made by `change` of its layer, its name and its numbers."""
    parameters = {
        layer: {name: change(layer, name, array) for name, array in named.items()}
        for layer, named in problem.parameters.items()
    }
    return replace(problem, parameters=parameters)


def with_targets(problem: Problem, targets: Array) -> Problem:
    """A problem with other targets."""
    assert problem.objective
    return replace(problem, objective=replace(problem.objective, targets=targets))


def flat(kind: str, seed: int, **fields: Any) -> Problem:
    """A problem of this kind whose gradients are 0 or nearly so."""
    layers, loss = network(kind, seed)
    if kind.startswith("saturated"):
        units = layers[-1].units  # type: ignore[attr-defined]
        fields["targets"] = np.full((7, units), 1 / units)
    problem = sampled(layers, {"input": (7, 4)}, loss=loss, seed=seed, **fields)
    if kind == "dead relu":
        problem = altered(
            problem, lambda layer, name, array: array - 50 if (layer, name) == ("dead", "bias") else array
        )
    if kind.startswith("saturated"):
        problem = altered(problem, lambda layer, name, array: array * 60 if layer == "big" else array)
    if kind == "zero weights":
        problem = altered(problem, lambda layer, name, array: 0 * array)
    if kind in ("dead relu", "perfect fit", "zero weights") or kind.startswith("saturated"):
        output = solved(problem).output
        problem = with_targets(problem, np.round(output) if kind.startswith("saturated") else output * (1 + 1e-16))
    return problem


def certificate_of(problem: Problem, factor: float = 1) -> Certificate:
    """Of the problem's own gradients times a factor."""
    found = solved(problem).gradients
    gradients = {
        layer: {name: factor * array for name, array in named.items()} for layer, named in found.gradients.items()
    }
    return certify(problem, gradients, {name: factor * array for name, array in found.input_gradients.items()})


ZERO = [
    "one output of softmax",
    "dead relu",
    "saturated softmax",
    "saturated sigmoid",
    "norm of one feature",
    "zero weights",
    "perfect fit",
]


@pytest.mark.parametrize("kind", ZERO)
def test_gradients_of_nearly_zero_are_certified(kind: str) -> None:
    errors = [certificate_of(flat(kind, seed)).relative_error for seed in SEEDS]
    assert max(errors) < 1e-13, errors


@pytest.mark.parametrize("kind", ZERO)
def test_so_are_those_in_single_precision(kind: str) -> None:
    errors = [certificate_of(flat(kind, seed, dtype="float32")).relative_error for seed in SEEDS]
    assert max(errors) < 1e-4, errors


def test_rounding_grows_through_many_layers() -> None:
    for seed, function in enumerate(["tanh", "sigmoid", "gelu", "softplus"]):
        layers: list[Layer] = [Dense(units=20, activation=function) for _ in range(12)]
        problem = sampled([*layers, Dense(units=3)], {"input": (30, 10)}, seed=seed)
        assert certificate_of(with_targets(problem, solved(problem).output.copy())).relative_error < 1e-13


MISTAKE = 1e-6


def test_a_small_mistake_is_seen() -> None:
    for seed in SEEDS:
        certificate = certificate_of(sampled(*network("any", seed)[:1], {"input": (7, 4)}, seed=seed), 1 + MISTAKE)
        share = abs(certificate.from_gradients / certificate.directional_derivative - 1)
        assert share == pytest.approx(MISTAKE, rel=1e-3)
        assert certificate.relative_error > MISTAKE / 1000


def test_a_small_mistake_is_seen_where_gradients_are_small() -> None:
    for seed in SEEDS:
        problem = sampled(*network("any", seed)[:1], {"input": (7, 4)}, seed=seed)
        output = solved(problem).output
        near = with_targets(problem, output + 1e-5 * np.random.default_rng(seed).standard_normal(output.shape))
        right, wrong = certificate_of(near), certificate_of(near, 1 + MISTAKE)
        assert right.relative_error < 1e-8
        assert wrong.relative_error > MISTAKE / 1000


@pytest.mark.parametrize("scale", [1, 1e-6])
def test_gradients_of_zero_are_seen_where_the_true_ones_are_not(scale: float) -> None:
    problem = sampled(*network("any", 3)[:1], {"input": (7, 4)})
    near = with_targets(problem, solved(problem).output + scale)
    assert certificate_of(near, 0).relative_error == 1
