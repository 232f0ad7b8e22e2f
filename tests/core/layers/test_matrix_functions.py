"""matrix_log, matrix_power and second_order_pooling against series, linear systems and integrals, at equal values too."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrays import Array
from core.derivatives.products import Direction, hessian_vector
from core.errors import Refusal
from core.layers import Layer
from core.layers.matmul import Matmul
from core.layers.matrix_log import MatrixLog
from core.layers.matrix_power import MatrixPower
from core.layers.second_order_pooling import SecondOrderPooling
from core.layers.transpose import Transpose
from core.losses.half_squared_error import HalfSquaredError
from core.problem import Problem
from tests.core.layers.forward import result
from tests.core.layers.structured import gradient, sym, with_values
from tests.core.sample import sampled
from tests.gradient import solved

SPECTRA = [
    (0.3, 1.0, 2.5, 7.0),
    (2.0, 2.0, 2.0, 2.0),
    (0.5, 2.0, 2.0, 5.0),
    (1.0, 1.0 + 1e-13, 1.0 + 1e-9, 1.0 + 1e-5),
    (1e-3, 1.0, 1.0 + 1e-7, 1e3),
]
every_spectrum = pytest.mark.parametrize("values", SPECTRA, ids=str)
G = np.random.default_rng(5).standard_normal((4, 4))
I = np.eye(4)  # noqa: E741 - the identity is called I everywhere


def exponential(Z: Array) -> Array:
    """exp(Z) by its series, of Z/64, squared six times."""
    term = total = np.eye(len(Z))
    for k in range(1, 30):
        term = term @ Z / 64 / k
        total = total + term
    for _ in range(6):
        total = total @ total
    return total


def agree(found: Array, expected: Array, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@every_spectrum
def test_the_exponential_undoes_the_logarithm(values: tuple[float, ...]) -> None:
    X = with_values(*values)
    agree(exponential(result(MatrixLog(), X[None])[0]), X, 1e-12)


@every_spectrum
def test_the_gradient_of_the_logarithm_is_its_integral(values: tuple[float, ...]) -> None:
    """dlog(X)[G] = ∫₀^∞ (X + sI)⁻¹ G (X + sI)⁻¹ ds, a self-adjoint map; s = e^u makes the trapezoidal rule precise."""
    X, step = with_values(*values), 0.05
    integral = np.zeros_like(X)
    for u in np.arange(-60, 60, step):
        inverse = np.linalg.inv(X + np.exp(u) * I)
        integral += step * np.exp(u) * inverse @ sym(G) @ inverse
    agree(gradient(MatrixLog(), X[None], G[None])[0], integral, 1e-10)


@every_spectrum
def test_the_gradient_of_the_square_root_solves_sylvesters_equation(values: tuple[float, ...]) -> None:
    """Z² = X gives Z dZ + dZ Z = dX, so the gradient S solves Z S + S Z = sym(G): (I ⊗ Z + Z ⊗ I) vec S = vec sym(G)."""
    X = with_values(*values)
    Z = result(MatrixPower(exponent=0.5), X[None])[0]
    agree(Z @ Z, X, 1e-13)
    S = np.linalg.solve(np.kron(I, Z) + np.kron(Z, I), sym(G).ravel()).reshape(4, 4)
    agree(gradient(MatrixPower(exponent=0.5), X[None], G[None])[0], S, 1e-10)


@every_spectrum
def test_whole_powers_are_products(values: tuple[float, ...]) -> None:
    X = with_values(*values) - 0.9 * I  # of both signs, or none
    X_inverse = np.linalg.inv(X)
    for exponent, power, slope in (
        (0.0, I, 0 * I),
        (1.0, X, sym(G)),
        (2.0, X @ X, X @ sym(G) + sym(G) @ X),
        (3.0, X @ X @ X, X @ X @ sym(G) + X @ sym(G) @ X + sym(G) @ X @ X),
        (-1.0, X_inverse, -X_inverse @ sym(G) @ X_inverse),
    ):
        layer = MatrixPower(exponent=exponent)
        agree(result(layer, X[None])[0], power, 1e-10)
        np.testing.assert_allclose(
            gradient(layer, X[None], G[None])[0], slope, atol=1e-10 * max(1, np.abs(slope).max())
        )


def test_a_singular_matrix_has_whole_powers_and_their_gradients() -> None:
    X = np.diag([0.0, 0.0, 2.0, -1.0])
    agree(gradient(MatrixPower(exponent=2.0), X[None], G[None])[0], X @ sym(G) + sym(G) @ X, 1e-13)


def test_inverse_powers_multiply_to_the_identity() -> None:
    X = with_values(0.3, 1.0, 2.5, 7.0)
    whitening = result(MatrixPower(exponent=-0.5), X[None])[0]
    agree(whitening @ X @ whitening, I, 1e-13)
    agree(result(MatrixPower(exponent=0.3), X[None]) @ result(MatrixPower(exponent=0.7), X[None]), X[None], 1e-13)


@pytest.mark.parametrize("positions", [1, 2, 3, 6])
@pytest.mark.parametrize("epsilon", [1e-3, 1e-9])
def test_pooling_is_the_logarithm_of_the_moments(positions: int, epsilon: float) -> None:
    """C = log(FᵀF + εI), and dF = 2 F dA with dA of the logarithm; with few positions ε is a repeated eigenvalue."""
    F = np.random.default_rng(3).standard_normal((1, positions, 3))
    layer, upstream = SecondOrderPooling(epsilon=epsilon), np.random.default_rng(4).standard_normal((1, 3, 3))
    A = F[0].T @ F[0] + epsilon * np.eye(3)
    agree(exponential(result(layer, F)[0]), A, 1e-10)
    if epsilon > 1e-6:
        agree(gradient(layer, F, upstream)[0], 2 * F[0] @ gradient(MatrixLog(), A[None], upstream)[0], 1e-9)
    # Where F has no extent nothing moves: each row of dF is a combination of the rows of F and of what they pull along.
    repeated = np.concatenate([F, F], axis=1)
    np.testing.assert_allclose(
        result(layer, repeated), result(SecondOrderPooling(epsilon=epsilon), np.sqrt(2) * F), atol=1e-9
    )


def test_pooling_is_a_graph_of_transpose_matmul_and_log() -> None:
    F, upstream = (
        np.random.default_rng(3).standard_normal((2, 5, 3)),
        np.random.default_rng(4).standard_normal((2, 3, 3)),
    )
    graph: list[Layer] = [
        Transpose(name="F'"),
        Matmul(name="F'F", inputs=["F'", "input"]),
        MatrixLog(),
    ]
    agree(gradient(graph, F, upstream), gradient(SecondOrderPooling(epsilon=0.0), F, upstream), 1e-11)


@pytest.mark.parametrize(
    ("layer", "values"),
    [
        (MatrixLog(), (2.0, 2.0, 2.0)),
        (MatrixLog(), (1.0, 1.0, 3.0)),
        (MatrixLog(), (1.0, 1 + 1e-9, 3.0)),
        (MatrixPower(exponent=0.5), (1.0, 4.0, 4.0)),
        (MatrixPower(exponent=2.0), (0.0, 0.0, 1.0)),
        (MatrixPower(exponent=-1.5), (1.0, 2.0, 3.0)),
    ],
)
def test_second_derivatives_are_exact_at_equal_values(layer: Layer, values: tuple[float, ...]) -> None:
    """H v by complex step, through the gradient, against differences of gradients."""
    before = [Transpose(name="T"), Matmul(name="S", inputs=["input", "T"])]
    root = np.linalg.cholesky(with_values(*values) + 1e-300 * np.eye(3)) if min(values) else with_values(*values)
    problem = sampled([*before, layer], {"input": (1, 3, 3)}, loss=HalfSquaredError())
    problem.inputs["input"][0] = root
    v = np.random.default_rng(2).standard_normal((1, 3, 3))
    found = hessian_vector(problem, Direction({}, {"input": v})).inputs["input"]
    h = 1e-4
    slopes = [_gradient_at(problem, problem.inputs["input"] + s * h * v) for s in (-2, -1, 1, 2)]
    expected = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / (12 * h)
    agree(found, expected, 1e-7)


def _gradient_at(problem: Problem, X: Array) -> Array:
    kept = problem.inputs["input"].copy()
    problem.inputs["input"][...] = X
    found = solved(problem).gradients.input_gradients["input"].copy()
    problem.inputs["input"][...] = kept
    return np.asarray(found)


@pytest.mark.parametrize(
    ("layer", "X", "code", "words"),
    [
        (MatrixLog(), np.diag([1.0, 0.0]), "non-finite", "eigenvalue of 0"),
        (MatrixLog(), np.diag([1.0, -2.0]), "non-finite", "positive definite"),
        (MatrixPower(exponent=0.5), np.diag([1.0, -1e-3]), "non-finite", "the power 0.5"),
        (MatrixPower(exponent=-1.0), np.ones((2, 2)), "non-finite", "invertible"),
        (SecondOrderPooling(epsilon=0.0), np.ones((2, 2)), "non-finite", "positive definite"),
        (MatrixLog(), np.array([[1.0, 0.5], [0.4, 1.0]]), "invalid-request", "[0, 1] and [1, 0] are 0.5 and 0.4"),
    ],
)
def test_refuses_matrices_without_a_result(layer: Layer, X: Array, code: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        result(layer, np.stack([np.eye(2), X]))
    (issue,) = refused.value.issues
    assert (issue.code, issue.path) == (code, ("network", "layers", 0))
    assert words in issue.detail
    assert "matrix [1]" in issue.detail
    assert issue.hint


def test_rounding_is_no_asymmetry() -> None:
    X = with_values(1.0, 2.0, 3.0)
    X[0, 1] += 1e-14
    agree(exponential(result(MatrixLog(), X[None])[0]), X, 1e-12)
