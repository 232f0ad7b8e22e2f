"""Random initial parameters: their variances, and that a seed always draws the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from core.activations.choice import Function
from core.arrays import Array
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.base import INITIALIZERS
from core.layers.dense import Dense
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

INPUTS, UNITS = 400, 100
HE, GLOROT = 2 / INPUTS, 2 / (INPUTS + UNITS)


def drawn(layers: Sequence[Layer], seed: int = 1, dtype: str = "float64", layer: str = "1") -> dict[str, Array]:
    """The initial parameters of a layer."""
    sent = ProblemSpec(layers=layers, inputs={"input": np.ones((1, INPUTS))}, seed=seed, dtype=dtype)  # type: ignore[arg-type]
    return dict(validate(sent, needs_loss=False).parameters[layer])


def assert_drawn(weight: Array, variance: float, distribution: str) -> None:
    """40,000 numbers have the variance and the reach of their distribution."""
    assert weight.var() == pytest.approx(variance, rel=0.03)
    assert abs(weight.mean()) < 4 * math.sqrt(variance / weight.size)
    reach = float(np.abs(weight).max()) / math.sqrt(variance)
    if distribution == "uniform":
        assert 1.7 < reach <= math.sqrt(3)
    else:
        assert 3.5 < reach < 6


@pytest.mark.parametrize("initializer", [name for name in INITIALIZERS if name != "zeros"])
def test_a_named_scheme_has_its_variance(initializer: str) -> None:
    scheme, distribution = initializer.split("_")
    variance = {"he": HE, "glorot": GLOROT, "lecun": 1 / INPUTS}[scheme]
    parameters = drawn([Dense(units=UNITS, initializer=initializer)])
    assert_drawn(parameters["weight"], variance, distribution)
    assert not parameters["bias"].any()


def test_zeros_are_zeros() -> None:
    assert not drawn([Dense(units=UNITS, initializer="zeros")])["weight"].any()


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(units=UNITS, activation="relu")],
        [Dense(units=UNITS, activation="leaky_relu")],
        [Dense(units=UNITS, activation=Function(function="leaky_relu", negative_slope=0.1))],
        [Dense(units=UNITS), ActivationLayer(function="relu")],
        [Dense(units=UNITS), Dense(units=2), ActivationLayer(function="relu", inputs=["1"])],
    ],
    ids=["relu", "leaky_relu", "leaky_relu with a slope", "a following layer", "a layer further down"],
)
def test_before_a_rectifier_it_is_he_normal(layers: list[Layer]) -> None:
    assert_drawn(drawn(layers)["weight"], HE, "normal")


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(units=UNITS)],
        [Dense(units=UNITS, activation="tanh")],
        [Dense(units=UNITS, activation="elu")],
        [Dense(units=UNITS), ActivationLayer(function="sigmoid")],
        [Dense(units=UNITS), Dense(units=2, activation="relu")],
    ],
    ids=["identity", "tanh", "elu", "a following layer", "relu behind another weight"],
)
def test_elsewhere_it_is_glorot_uniform(layers: list[Layer]) -> None:
    assert_drawn(drawn(layers)["weight"], GLOROT, "uniform")


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    layers = [Dense(units=UNITS)]
    np.testing.assert_array_equal(drawn(layers)["weight"], drawn(layers)["weight"])
    assert not np.array_equal(drawn(layers)["weight"], drawn(layers, seed=2)["weight"])


def test_layers_of_the_same_shape_are_drawn_apart() -> None:
    layers = [Dense(units=INPUTS), Dense(units=INPUTS)]
    assert not np.array_equal(drawn(layers)["weight"], drawn(layers, layer="2")["weight"])


def test_a_layer_is_drawn_the_same_whatever_the_others_are() -> None:
    one, other = ([Dense(units=units), Dense(units=INPUTS), Dense(units=3)] for units in (5, 6))
    assert not np.array_equal(drawn(one)["weight"], drawn(other)["weight"])
    np.testing.assert_array_equal(drawn(one, layer="3")["weight"], drawn(other, layer="3")["weight"])


def test_float32_is_float64_rounded() -> None:
    wide, narrow = (drawn([Dense(units=UNITS)], dtype=dtype)["weight"] for dtype in ("float64", "float32"))
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(narrow, wide.astype(np.float32))


def test_the_numbers_of_a_seed_never_change() -> None:
    """PCG64 is stable across platforms and releases; whoever stored a seed relies on it."""
    found = drawn([Dense(units=2)], seed=7)["weight"][:2]
    bound = math.sqrt(6 / (INPUTS + 2))
    expected = np.random.Generator(np.random.PCG64([7, 0])).uniform(-bound, bound, (INPUTS, 2))[:2]
    np.testing.assert_array_equal(found, expected)
