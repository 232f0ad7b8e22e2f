"""At a kink every slope between the one-sided ones is right, for each number by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking import SubmissionSpec
from core.checking.interpretation import Right
from core.checking.kinks import kinks_in
from core.checking.quantity import Quantity
from core.problem import Problem
from tests.core.checking.other_programs import layer, problem
from tests.core.checking.student import examined

Array = np.ndarray[Any, Any]

SELU = 1.0507009873554805
FUNCTIONS: dict[str, tuple[Any, float, float]] = {
    "relu": (lambda Z: np.maximum(Z, 0), 0.0, 1.0),
    "leaky_relu": (lambda Z: np.where(Z > 0, Z, 0.1 * Z), 0.1, 1.0),
    "elu": (lambda Z: np.where(Z > 0, Z, 2 * np.expm1(Z)), 1.0, 2.0),
    "selu": (lambda Z: SELU * np.where(Z > 0, Z, 1.6732632423543772 * np.expm1(Z)), SELU, SELU * 1.6732632423543772),
}
CONSTANTS: dict[str, dict[str, float]] = {"leaky_relu": {"negative_slope": 0.1}, "elu": {"alpha": 2.0}}


def slopes(function: str, Z: Array, rng: np.random.Generator) -> Array:
    """The derivative, with a random number between both sides at every kink."""
    value, low, high = FUNCTIONS[function]
    step = 1e-6
    straight = {"relu": 0.0, "leaky_relu": 0.1}
    left = np.full(Z.shape, straight[function]) if function in straight else None
    if left is None:
        left = 2 * np.exp(Z) if function == "elu" else SELU * 1.6732632423543772 * np.exp(Z)
    right = SELU if function == "selu" else 1.0
    assert np.allclose((value(Z + step) - value(Z))[Z > 0] / step, right, atol=1e-4)
    return np.where(Z == 0, rng.uniform(low, high, Z.shape), np.where(Z > 0, right, left))


def program(function: str, apart: bool, seed: int) -> tuple[Problem, dict[str, Any]]:
    """dense, f; dense, f; dense. The first example is 0, and so are the biases: all its numbers lie at kinks."""
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    X[0] = 0
    W = [rng.standard_normal(shape) for shape in ((3, 3), (3, 4), (4, 2))]
    b = [np.zeros(3), np.zeros(4), rng.standard_normal(2)]
    Z1 = X @ W[0] + b[0]
    A1 = FUNCTIONS[function][0](Z1)
    Z2 = A1 @ W[1] + b[1]
    A2 = FUNCTIONS[function][0](Z2)
    D3 = (A2 @ W[2] + b[2] - Y) / 4
    D2 = D3 @ W[2].T * slopes(function, Z2, rng)
    D1 = D2 @ W[1].T * slopes(function, Z1, rng)
    constants = CONSTANTS.get(function, {})
    names, layers = ["1", "2", "3"], []
    if apart:
        names = ["1", "3", "5"]
        for units in (3, 4):
            layers += [layer("dense", units=units), layer("activation", function=function, **constants)]
        layers.append(layer("dense", units=2))
    else:
        from core.activations.choice import Function

        chosen = Function(function=function, **constants)
        layers = [layer("dense", units=3, activation=chosen), layer("dense", units=4, activation=chosen)]
        layers.append(layer("dense", units=2))
    parameters = {name: {"weight": w, "bias": c} for name, w, c in zip(names, W, b, strict=True)}
    D, read = [D1, D2, D3], [X, A1, A2]
    gradients = {name: {"weight": A.T @ d, "bias": d.sum(axis=0)} for name, A, d in zip(names, read, D, strict=True)}
    asked = problem(layers, X, Y, parameters, "half_squared_error")
    return asked, {"deltas": dict(zip(names, D, strict=True)), "gradients": gradients}


def assert_not_accused(report: Any) -> None:
    assert report.verdict in ("correct", "equivalent-layout"), report.summary
    assert not report.blame
    assert [each.slug for each in report.equivalences] == ["slope-at-kink"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("parts", [("deltas", "gradients"), ("gradients",)])
def test_a_slope_of_its_own_at_every_kink(function: str, apart: bool, parts: tuple[str, ...]) -> None:
    for seed in range(2):
        asked, sent = program(function, apart, seed)
        assert_not_accused(examined(asked, SubmissionSpec(**{part: sent[part] for part in parts})))


@pytest.mark.parametrize("parts", [("deltas", "gradients"), ("gradients",)])
def test_a_slope_beyond_both_sides_is_a_mistake(parts: tuple[str, ...]) -> None:
    asked, sent = program("relu", False, 0)
    sent["deltas"]["2"] = sent["deltas"]["2"].copy()
    sent["deltas"]["2"][0] *= -3
    sent["gradients"]["2"]["bias"] = sent["deltas"]["2"].sum(axis=0)
    assert examined(asked, SubmissionSpec(**{part: sent[part] for part in parts})).verdict == "wrong"


def test_a_mistake_beside_kinks_is_found() -> None:
    asked, sent = program("relu", False, 1)
    sent["gradients"]["2"]["weight"] = 2 * sent["gradients"]["2"]["weight"]
    report = examined(asked, SubmissionSpec(**sent))
    assert [(blame.quantity.layer, blame.quantity.tensor) for blame in report.blame] == [("2", "gradients.weight")]


def test_kinks_that_enter_a_rule_are_listed() -> None:
    right = Right(program("relu", False, 0)[0])
    assert {kink.layer for kink in kinks_in(right.trace, Quantity("deltas", "1"), 0.0)} == {"1"}
    assert not kinks_in(right.trace, Quantity("deltas", "3"), 0.0)
    apart = Right(program("relu", True, 0)[0])
    assert {kink.layer for kink in kinks_in(apart.trace, Quantity("deltas", "1"), 0.0)} == {"2"}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("function", "constants", "high"),
    [("hard_sigmoid", {}, 1 / 6), ("hard_swish", {}, None), ("clip", {"lower": -3.0, "upper": 3.0}, 1.0)],
)
def test_kinks_that_are_not_at_0(function: str, constants: dict[str, float], high: float | None, apart: bool) -> None:
    """Every number of the first two examples lies at a kink: at -3 or at 3."""
    from core.activations.choice import Function

    rng = np.random.default_rng(7)
    X, W, Y = rng.standard_normal((4, 2)), np.array([[3.0, -3.0], [0.0, 0.0]]), rng.standard_normal((4, 2))
    X[:2, 0] = [1, -1]
    Z = X @ W
    held = np.clip(Z, -3, 3)
    A = {"hard_sigmoid": held / 6 + 0.5, "hard_swish": Z * (held / 6 + 0.5), "clip": held}[function]
    inside = (Z / 3 + 0.5) if high is None else np.full(Z.shape, high)
    outside = np.where(Z > 3, 1.0, 0.0) if high is None else np.zeros(Z.shape)
    slope = np.where(np.abs(Z) < 3, inside, outside)
    between = rng.uniform(0, 1, Z.shape)
    sides = {
        -3.0: (0.0, -0.5 if high is None else high),
        3.0: (1.5 if high is None else high, 1.0 if high is None else 0.0),
    }
    for point, (left, right) in sides.items():
        slope = np.where(point == Z, left + between * (right - left), slope)
    D = (A - Y) / 4 * slope
    gradients = {"1": {"weight": X.T @ D, "bias": D.sum(axis=0)}}
    chosen = Function(function=function, **constants)
    layers = [layer("dense", units=2), layer("activation", function=function, **constants)]
    asked = problem(
        layers if apart else [layer("dense", units=2, activation=chosen)],
        X, Y, {"1": {"weight": W, "bias": np.zeros(2)}}, "half_squared_error",
    )  # fmt: skip
    assert_not_accused(examined(asked, SubmissionSpec(gradients=gradients, deltas={"1": D})))


@pytest.mark.parametrize("how", ["first", "shared"])
def test_equal_largest_numbers_may_share_the_delta(how: str) -> None:
    rng = np.random.default_rng(4)
    X, W, V, Y = (
        rng.standard_normal((4, 3)),
        rng.standard_normal((3, 2)),
        rng.standard_normal((1, 2)),
        rng.random((4, 2)),
    )
    W = np.concatenate([W, W], axis=1)  # Every number occurs twice.
    Z = X @ W
    largest = Z.max(axis=1, keepdims=True)
    D3 = (largest @ V - Y) / 4
    wins = largest == Z
    shares = np.eye(4)[Z.argmax(axis=1)] if how == "first" else wins / wins.sum(axis=1, keepdims=True)
    D1 = shares * (D3 @ V.T)
    gradients = {
        "1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
        "3": {"weight": largest.T @ D3, "bias": D3.sum(axis=0)},
    }
    parameters = {"1": {"weight": W, "bias": np.zeros(4)}, "3": {"weight": V, "bias": np.zeros(2)}}
    layers = [layer("dense", units=4), layer("reduce_max", axis=1, keep_axis=True), layer("dense", units=2)]
    asked = problem(layers, X, Y, parameters, "half_squared_error")
    report = examined(asked, SubmissionSpec(gradients=gradients, deltas={"1": D1}))
    assert report.verdict in ("correct", "equivalent-layout"), report.summary
    assert [each.slug for each in report.equivalences] == ["slope-at-kink"] * (how == "first")


def test_the_kink_of_prelu() -> None:
    rng = np.random.default_rng(3)
    X, W, s, Y = (rng.standard_normal(shape) for shape in ((4, 3), (3, 2), (2,), (4, 2)))
    X[:2] = 0
    Z = X @ W
    D2 = (np.where(Z > 0, Z, s * Z) - Y) / 4
    D1 = D2 * np.where(Z == 0, s + rng.random(Z.shape) * (1 - s), np.where(Z > 0, 1, s))
    gradients = {
        "1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
        "2": {"negative_slope": (D2 * np.minimum(Z, 0)).sum(axis=0)},
    }
    parameters = {"1": {"weight": W, "bias": np.zeros(2)}, "2": {"negative_slope": s}}
    layers = [layer("dense", units=2), layer("prelu", axes=[-1])]
    asked = problem(layers, X, Y, parameters, "half_squared_error")
    assert_not_accused(examined(asked, SubmissionSpec(gradients=gradients, deltas={"1": D1})))
    assert len(kinks_in(Right(asked).trace, Quantity("deltas", "1"), 0.0)) == 4


@pytest.mark.parametrize("loss", ["hinge", "mean_absolute_error"])
@pytest.mark.parametrize("seed", range(3))
def test_the_kink_of_a_loss(loss: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, W, b = rng.integers(-2, 3, (4, 3)).astype(float), rng.integers(-2, 3, (3, 2)).astype(float), np.ones(2)
    A = X @ W + b
    Y = np.where(A > 0, 1.0, -1.0) if loss == "hinge" else A + rng.integers(0, 2, A.shape)
    A[0], X[0], Y[0] = b, 0, 1
    if loss == "hinge":
        D = np.where(Y * A < 1, -Y, np.where(Y * A == 1, -Y * rng.random(A.shape), 0)) / 4
    else:
        D = np.where(A == Y, rng.uniform(-1, 1, A.shape), np.sign(A - Y)) / 8
    asked = problem([layer("dense", units=2)], X, Y, {"1": {"weight": W, "bias": b}}, loss)
    gradients = {"1": {"weight": X.T @ D, "bias": D.sum(axis=0)}}
    for sent in (SubmissionSpec(gradients=gradients), SubmissionSpec(gradients=gradients, deltas={"1": D})):
        assert_not_accused(examined(asked, sent))


@pytest.mark.parametrize("seed", range(3))
def test_relu_inside_a_recurrent_layer(seed: int) -> None:
    """The first two steps of an example of zeros lie at kinks; there is no verdict without an oracle that knows them."""
    rng = np.random.default_rng(seed)
    n, T, u = 3, 3, 2
    X, W, U = rng.standard_normal((n, T, 2)), rng.standard_normal((2, u)), rng.standard_normal((u, u))
    X[0, :2] = 0
    Y = rng.standard_normal((n, u))
    H, slope = [np.zeros((n, u))], []
    for t in range(T):
        a = X[:, t] @ W + H[-1] @ U
        slope.append(np.where(a == 0, rng.random(a.shape), a > 0))
        H.append(np.maximum(a, 0))
    D = (H[-1] - Y) / n
    dW, dU, db, dh = np.zeros_like(W), np.zeros_like(U), np.zeros(u), D
    for t in reversed(range(T)):
        da = dh * slope[t]
        dW, dU, db, dh = dW + X[:, t].T @ da, dU + H[t].T @ da, db + da.sum(axis=0), da @ U.T
    parameters = {"1": {"weight": W, "recurrent_weight": U, "bias": np.zeros(u)}}
    asked = problem([layer("rnn", units=u, nonlinearity="relu")], X, Y, parameters, "half_squared_error")
    report = examined(asked, SubmissionSpec(gradients={"1": {"weight": dW, "recurrent_weight": dU, "bias": db}}))
    assert report.verdict in ("correct", "equivalent-layout"), report.summary
    assert not report.blame


def pooled(how: str) -> tuple[Problem, SubmissionSpec]:
    """dense, relu; reshape; 2x2 max pool; flatten; dense. Many windows hold several zeros, or twice one largest number."""
    rng = np.random.default_rng(5)
    n = 4
    X, W, b = rng.integers(-1, 2, (n, 3)).astype(float), rng.integers(-1, 2, (3, 16)).astype(float), np.zeros(16)
    V, c, Y = rng.standard_normal((4, 2)), rng.standard_normal(2), rng.standard_normal((n, 2))
    Z1 = X @ W + b
    windows = np.maximum(Z1, 0).reshape(n, 2, 2, 2, 2)
    A2 = windows.max(axis=(2, 4))
    D3 = (A2.reshape(n, 4) @ V + c - Y) / n
    D2 = (D3 @ V.T).reshape(n, 2, 1, 2, 1)
    equal = windows == A2[:, :, None, :, None]
    ties = equal.sum(axis=(2, 4), keepdims=True)
    assert ties.max() > 2
    shares = {"all": equal * 1.0, "shared": equal / ties, "thrice": equal * 3.0}[how]
    D1 = (shares * D2).reshape(n, 16) * (Z1 > 0)
    gradients = {
        "1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
        "5": {"weight": A2.reshape(n, 4).T @ D3, "bias": D3.sum(axis=0)},
    }
    layers = [
        layer("dense", units=16, activation="relu"),
        layer("reshape", shape=[1, 4, 4]),
        layer("max_pool2d", size=2),
        layer("flatten"),
        layer("dense", units=2),
    ]
    parameters = {"1": {"weight": W, "bias": b}, "5": {"weight": V, "bias": c}}
    return problem(layers, X, Y, parameters, "half_squared_error"), SubmissionSpec(gradients=gradients)


@pytest.mark.parametrize("how", ["all", "shared"])
def test_ties_of_a_pool_may_be_shared_and_their_sum_is_told(how: str) -> None:
    report = examined(*pooled(how))
    assert_not_accused(report)
    assert ("the sum over the ties" in report.summary) == (how == "all")


def test_ties_of_a_pool_receive_no_more_than_the_delta() -> None:
    assert examined(*pooled("thrice")).verdict == "wrong"
