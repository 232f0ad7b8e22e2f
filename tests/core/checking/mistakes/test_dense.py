"""The mistakes of dense layers, made by a program that is written out for two of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.activations.choice import Function
from core.checking import Report, SubmissionSpec
from core.checking.quantity import Quantity
from tests.core.checking.other_programs import Array, layer, problem
from tests.core.checking.student import examined

N, INPUTS, HIDDEN, OUTPUTS, ALPHA, SLOPE = 7, 3, 5, 4, 0.4, 0.2

DELTA = {
    "activation for derivative": ("tanh", "activation-instead-of-derivative"),
    "sigmoid, in a": ("tanh", "derivative-of-another-function"),
    "sigmoid, in z": ("tanh", "derivative-of-another-function"),
    "relu": ("leaky_relu", "derivative-of-another-function"),
    "default slope": ("leaky_relu", "default-constant-of-activation"),
    "default alpha": ("elu", "default-constant-of-activation"),
    "default alpha, in a": ("elu", "default-constant-of-activation"),
    "raw error": ("tanh", "error-instead-of-delta"),
    "output": ("tanh", "activation-instead-of-delta"),
    "first row removed": ("tanh", "wrong-bias-row-removed"),
    "third row removed": ("tanh", "wrong-bias-row-removed"),
    "bias first, last row removed": ("tanh", "wrong-bias-row-removed"),
}
WEIGHT = {"input left out": "input-left-out", "inner product": "inner-product-instead-of-outer"}
BIAS = {
    "one number": "bias-gradient-one-number",
    "a scalar": "bias-gradient-one-number",
    "mean of all": "bias-gradient-one-number",
    "over the units": "bias-gradient-over-wrong-axis",
}
FUNCTIONS: dict[str, Any] = {
    "tanh": "tanh",
    "leaky_relu": Function(function="leaky_relu", negative_slope=SLOPE),
    "elu": Function(function="elu", alpha=ALPHA),
}


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def forward(function: str, z: Array) -> Array:
    if function == "tanh":
        return np.tanh(z)
    return np.where(z > 0, z, SLOPE * z if function == "leaky_relu" else ALPHA * (np.exp(z) - 1))


def derivative(mistake: str, function: str, z: Array, a: Array) -> Array:
    match mistake:
        case "activation for derivative":
            return a
        case "sigmoid, in a":
            return a * (1 - a)
        case "sigmoid, in z":
            return sigmoid(z) * (1 - sigmoid(z))
        case "relu":
            return (z > 0).astype(float)
        case "default slope":
            return np.where(z > 0, 1, 0.01)
        case "default alpha":
            return np.where(z > 0, 1, np.exp(z))
        case "default alpha, in a":
            return np.where(z > 0, 1, a + 1)
    if function == "tanh":
        return 1 - a**2
    return np.where(z > 0, 1, SLOPE if function == "leaky_relu" else ALPHA * np.exp(z))


def sent_back(mistake: str, D: Array, A: Array, Y: Array, W: Array, b: Array) -> Array:
    match mistake:
        case "raw error":
            return (A - Y) / N @ W.T
        case "output":
            return A @ W.T
        case "first row removed":
            return D @ np.vstack([W, b])[1:].T
        case "third row removed":
            return D @ np.vstack([W[:2], W[3:], b]).T
        case "bias first, last row removed":
            return D @ np.vstack([b, W[:-1]]).T
    return np.asarray(D @ W.T)


def report_of(mistake: str, seed: int, function: str = "tanh", *, deltas: bool = True) -> Report:
    """The report on dense, dense with sigmoid and half the squared error."""
    rng = np.random.default_rng(seed)
    X, W1, b1 = rng.standard_normal((N, INPUTS)), rng.standard_normal((INPUTS, HIDDEN)), rng.standard_normal(HIDDEN)
    W2, b2, Y = rng.standard_normal((HIDDEN, OUTPUTS)), rng.standard_normal(OUTPUTS), rng.random((N, OUTPUTS))
    Z1 = X @ W1 + b1
    A1 = forward(function, Z1)
    A2 = sigmoid(A1 @ W2 + b2)
    D2 = (A2 - Y) * A2 * (1 - A2) / N
    D1 = sent_back(mistake, D2, A2, Y, W2, b2) * derivative(mistake, function, Z1, A1)
    weight = {"input left out": np.tile(D1.sum(axis=0), (INPUTS, 1)), "inner product": np.sum(D1 * A1)}
    bias = {
        "one number": np.full(HIDDEN, D1.sum()),
        "a scalar": D1.sum(),
        "mean of all": np.full(HIDDEN, D1.mean()),
        "over the units": D1.sum(axis=1),
    }
    gradients: dict[str, Any] = {
        "1": {"weight": weight.get(mistake, X.T @ D1), "bias": bias.get(mistake, D1.sum(axis=0))},
        "2": {"weight": A1.T @ D2, "bias": D2.sum(axis=0)},
    }
    layers = [
        layer("dense", units=HIDDEN, activation=FUNCTIONS[function]),
        layer("dense", units=OUTPUTS, activation="sigmoid"),
    ]
    parameters: dict[str, Any] = {"1": {"weight": W1, "bias": b1}, "2": {"weight": W2, "bias": b2}}
    sent: dict[str, Any] = {"deltas": {"1": D1, "2": D2}} if deltas else {}
    return examined(
        problem(layers, X, Y, parameters, "half_squared_error"), SubmissionSpec(gradients=gradients, **sent)
    )


def assert_named(report: Report, quantity: Quantity, cause: str) -> None:
    assert [(blame.quantity, blame.cause) for blame in report.blame] == [(quantity, cause)], report.summary
    others = {alternative.cause for alternative in report.blame[0].alternatives}
    assert others <= {cause}, others


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_program_without_a_mistake_is_right(function: str) -> None:
    assert report_of("nothing", 1, function).verdict == "correct"


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", DELTA)
def test_a_delta(mistake: str, seed: int, deltas: bool) -> None:
    function, cause = DELTA[mistake]
    assert_named(report_of(mistake, seed, function, deltas=deltas), Quantity("deltas", "1"), cause)


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", WEIGHT)
def test_a_weight_gradient(mistake: str, seed: int, deltas: bool) -> None:
    assert_named(report_of(mistake, seed, deltas=deltas), Quantity("gradients", "1", "weight"), WEIGHT[mistake])


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", BIAS)
def test_a_bias_gradient(mistake: str, seed: int, deltas: bool) -> None:
    assert_named(report_of(mistake, seed, deltas=deltas), Quantity("gradients", "1", "bias"), BIAS[mistake])
