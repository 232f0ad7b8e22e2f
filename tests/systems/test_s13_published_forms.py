"""Five forms of one gradient: against each other, against differences, and against the layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrays import Array
from core.layers.batch_norm import BatchNorm
from core.losses.upstream import Upstream
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import solved
from tests.systems.batch_norm_forms import (
    Gradients,
    by_jacobian,
    by_matrices,
    by_matrices_plain,
    by_rows,
    by_stages,
    by_sums,
    standardised,
)

Form = Callable[[Array, Array, Array, float], Gradients]
FORMS: list[Form] = [by_matrices, by_jacobian, by_rows, by_sums, by_stages]
every_form = pytest.mark.parametrize("form", FORMS)
epsilons = st.sampled_from([0.0, 1e-5, 0.3])


def batch(N: int, D: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """X, dY and γ."""
    random = np.random.default_rng(seed)
    return 3 * random.standard_normal((N, D)) + 5, random.standard_normal((N, D)), random.standard_normal(D)


def assert_agree(found: Gradients, expected: Gradients) -> None:
    for name in ("dX", "dgamma", "dbeta"):
        wanted = getattr(expected, name)
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=0, atol=1e-12 * scale, err_msg=name)


def by_layer(X: Array, dY: Array, gamma: Array, epsilon: float) -> Gradients:
    """What gradd's layer answers."""
    sent = ProblemSpec(
        layers=[BatchNorm(epsilon=epsilon)],
        inputs={"input": X},
        parameters={"1": {"gamma": gamma, "beta": np.zeros_like(gamma)}},
        loss=Upstream(),
        upstream=dY,
    )
    gradients = solved(validate(sent)).gradients
    return Gradients(gradients.input_gradients["input"], **{f"d{k}": v for k, v in gradients.gradients["1"].items()})


@every_form
@given(N=st.integers(3, 9), D=st.integers(1, 5), epsilon=epsilons, seed=st.integers(0, 99))
def test_all_forms_agree_with_the_layer(form: Form, N: int, D: int, epsilon: float, seed: int) -> None:
    X, dY, gamma = batch(N, D, seed)
    assert_agree(form(X, dY, gamma, epsilon), by_layer(X, dY, gamma, epsilon))


@given(N=st.integers(3, 9), D=st.integers(1, 5), seed=st.integers(0, 99))
def test_the_plain_matrix_form_is_the_case_of_gamma_1_and_epsilon_0(N: int, D: int, seed: int) -> None:
    X, dY, _ = batch(N, D, seed)
    expected = by_matrices(X, dY, np.ones(D), 0.0).dX
    np.testing.assert_allclose(by_matrices_plain(X, dY), expected, rtol=0, atol=1e-12)


@every_form
def test_forms_are_the_derivative(form: Form) -> None:
    X, dY, gamma = batch(4, 3)

    def loss(X: Array, gamma: Array) -> float:
        return float((dY * gamma * standardised(X, 1e-5)[0]).sum())

    found = form(X, dY, gamma, 1e-5)
    for gradient, point, function in (
        (found.dX, X, lambda moved: loss(moved, gamma)),
        (found.dgamma, gamma, lambda moved: loss(X, moved)),
    ):
        np.testing.assert_allclose(gradient, differences(function, point), rtol=1e-7, atol=1e-8)


def differences(function: Callable[[Array], float], at: Array) -> Array:
    """∂(function)/∂(each element) by central differences."""
    found, h = np.empty_like(at), 1e-5
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = h
        found[index] = (function(at + step) - function(at - step)) / (2 * h)
    return found


@every_form
def test_the_two_corrections_are_there(form: Form) -> None:
    """With ε = 0, dX is orthogonal to 1 (the mean's share) and to X̂ (the variance's share)."""
    X, dY, gamma = batch(6, 3)
    dX = form(X, dY, gamma, 0.0).dX
    np.testing.assert_allclose(dX.sum(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose((dX * standardised(X, 0.0)[0]).sum(axis=0), 0, atol=1e-13)


def test_every_stage_has_its_value_and_its_gradient() -> None:
    X, dY, gamma = batch(4, 3)
    beta = np.array([1.0, -1, 0.5])
    staged = by_stages(X, dY, gamma, 1e-3, beta)
    names = ["mu", "xmu", "sq", "var", "sqrtvar", "ivar", "xhat", "gammax", "out"]
    assert list(staged.values) == names
    assert list(staged.gradients) == names[::-1]
    for name, value in staged.values.items():
        expected = differences(partial(loss_after, name, X=X, dY=dY, gamma=gamma, beta=beta, epsilon=1e-3), value)
        np.testing.assert_allclose(staged.gradients[name], expected, rtol=1e-7, atol=1e-7, err_msg=name)


def loss_after(name: str, value: Array, *, X: Array, dY: Array, gamma: Array, beta: Array, epsilon: float) -> float:
    """Σ dY ∘ Y, computed stage by stage, where one of them has a value of its own."""
    fixed = {name: value}
    mu = fixed.get("mu", X.mean(axis=0))
    xmu = fixed.get("xmu", X - mu)
    sq = fixed.get("sq", xmu**2)
    var = fixed.get("var", sq.mean(axis=0))
    sqrtvar = fixed.get("sqrtvar", np.sqrt(var + epsilon))
    ivar = fixed.get("ivar", 1 / sqrtvar)
    xhat = fixed.get("xhat", xmu * ivar)
    gammax = fixed.get("gammax", gamma * xhat)
    return float((dY * fixed.get("out", gammax + beta)).sum())
