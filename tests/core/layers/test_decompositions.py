"""svd and eigh: what they return, their sign gauge, and their gradients where values are equal or nearly so."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrays import Array, Shape
from core.convention import CONVENTIONS, Convention
from core.derivatives.products import Direction, hessian_vector
from core.errors import Refusal
from core.layers import Layer
from core.layers.eigh import Eigh
from core.layers.matmul import Matmul
from core.layers.svd import Svd
from core.layers.transpose import Transpose
from core.losses.half_squared_error import HalfSquaredError
from tests.core.layers.forward import ran, result
from tests.core.layers.structured import gradient, orthogonal, planned, sym, with_values
from tests.core.sample import sampled
from tests.gradient import solved

SHAPES: list[Shape] = [(1, 4, 4), (2, 5, 3), (2, 3, 5), (3, 1, 4), (2, 2, 3, 2)]


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def assert_gauge(vectors: Array) -> None:
    """Of the components within a thousandth of the largest, the first is positive."""
    for column in vectors.swapaxes(-1, -2).reshape(-1, vectors.shape[-2]):
        assert column[np.flatnonzero(np.abs(column) > 0.999 * np.abs(column).max())[0]] > 0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_parts_of_an_svd_multiply_to_the_matrix(shape: Shape) -> None:
    X = random(*shape)
    U, sigma, V = (result(Svd(part=part), X) for part in ("left", "values", "right"))
    count = min(shape[-2:])
    assert (U.shape, sigma.shape, V.shape) == (
        (*shape[:-1], count),
        (*shape[:-2], count),
        (*shape[:-2], shape[-1], count),
    )
    np.testing.assert_allclose((U * sigma[..., np.newaxis, :]) @ V.swapaxes(-1, -2), X, atol=1e-14)
    for vectors in (U, V):
        np.testing.assert_allclose(
            vectors.swapaxes(-1, -2) @ vectors, np.broadcast_to(np.eye(count), (*shape[:-2], count, count)), atol=1e-14
        )
    assert (np.diff(sigma, axis=-1) <= 0).all()
    assert_gauge(U)


def test_the_parts_of_an_eigh_multiply_to_the_matrix() -> None:
    X = sym(random(3, 2, 4, 4))
    U, values = result(Eigh(part="vectors"), X), result(Eigh(), X)
    np.testing.assert_allclose((U * values[..., np.newaxis, :]) @ U.swapaxes(-1, -2), X, atol=1e-14)
    assert (np.diff(values, axis=-1) >= 0).all()
    assert_gauge(U)


def test_equal_components_leave_the_sign_to_the_first() -> None:
    """Both vectors of this matrix have components ±1/√2, equal by magnitude up to rounding."""
    for diagonal in np.random.default_rng(0).standard_normal(20):
        X = np.array([[[diagonal, 0.3], [0.3, diagonal]]])
        np.testing.assert_allclose(
            result(Eigh(part="vectors"), X)[0], np.array([[1, 1], [-1, 1]]) / np.sqrt(2), atol=1e-13
        )


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_tensor_of_rank_2_is_one_matrix_as_it_is_sent(convention: Convention) -> None:
    X = random(3, 2)
    for part in ("left", "right"):
        plan = ran(Svd(part=part), X, convention=convention)
        assert [issue.code for issue in plan.warnings] == ["single-matrix"]
        np.testing.assert_array_equal(
            result(Svd(part=part), X, convention=convention), result(Svd(part=part), X[None])[0]
        )
    assert result(Svd(), X, convention=convention).shape == (2,)
    upstream = random(3, 2, seed=1)
    layer = Svd(part="left")
    found = planned(layer, X, upstream, convention=convention).gradients.input_gradients["input"]
    expected = gradient(layer, X[None], upstream[None])[0]
    np.testing.assert_allclose(found.T if convention == "column" else found, expected, atol=1e-14)


def test_the_gradient_of_eigh_is_ionescus() -> None:
    """∂L/∂Z = U ((K̃ᵀ ∘ (Uᵀ ∂L/∂U))_sym + (∂L/∂Σ)_diag) Uᵀ, K̃_ij = 1/(σ_i − σ_j), 0 on the diagonal."""
    X = with_values(-1.0, 0.5, 2.0, 3.0)
    dU, d_sigma = random(4, 4, seed=1), random(4, seed=2)
    U, sigma = (result(Eigh(part=part), X[None])[0] for part in ("vectors", "values"))
    difference = sigma[:, None] - sigma[None, :] + np.eye(4)
    K = (1 - np.eye(4)) / difference
    expected = U @ (sym(K.T * (U.T @ dU)) + np.diag(d_sigma)) @ U.T
    found = gradient(Eigh(part="vectors"), X[None], dU[None]) + gradient(Eigh(), X[None], d_sigma[None])
    np.testing.assert_allclose(found[0], expected, atol=1e-13)


def test_the_gradient_of_the_nuclear_norm_is_the_polar_factor() -> None:
    """Σ σ has the gradient U Vᵀ, also where singular values are equal."""
    for values in ((3.0, 2.0, 1.0), (2.0, 2.0, 1.0), (1.0, 1.0, 1.0)):
        U, V = orthogonal(4)[:, :3], orthogonal(3)
        np.testing.assert_allclose(gradient(Svd(), ((U * values) @ V.T)[None], np.ones((1, 3)))[0], U @ V.T, atol=1e-13)


PROJECTOR: list[Layer] = [
    Eigh(part="vectors", name="U", inputs=["input"]),
    Matmul(name="picked", inputs=["U", "pick"]),
    Transpose(name="transposed"),
    Matmul(inputs=["picked", "transposed"]),
]
"""U_c U_cᵀ of the eigenvectors that a matrix `pick` of 0 and 1 picks."""


def test_a_projector_has_its_gradient_at_equal_values() -> None:
    """Π = U_c U_cᵀ of the pair of equal values: dΠ[B] = Σ_{i in, j out} (u_iᵀ B u_j)/(λ_i − λ_j) (u_i u_jᵀ + u_j u_iᵀ)."""
    X, pick = with_values(-1.0, 0.5, 2.0, 2.0), np.eye(4)[:, 2:]
    problem = sampled(PROJECTOR, {"input": (1, 4, 4), "pick": (4, 2)})
    problem.inputs["input"][...], problem.inputs["pick"][...] = X, pick
    assert problem.objective is not None
    plan = solved(problem)
    values, U = np.linalg.eigh(X)
    d_projector = plan.output[0] - problem.objective.targets[0]
    expected = np.zeros((4, 4))
    for i in (2, 3):
        for j in (0, 1):
            both = np.outer(U[:, i], U[:, j]) + np.outer(U[:, j], U[:, i])
            expected += (d_projector * both).sum() / (values[i] - values[j]) * both / 2
    np.testing.assert_allclose(plan.gradients.input_gradients["input"][0], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "X", "upstream"),
    [
        (Eigh(), np.eye(3), np.array([1.0, 1, 2])),
        (Eigh(part="vectors"), with_values(1.0, 1.0, 2.0), random(3, 3)),
        (Svd(), np.eye(3), np.array([1.0, 1, 2])),
        (Svd(), np.diag([1.0, 0.0]), np.array([1.0, 1])),
        (Svd(part="left"), np.eye(3), random(3, 3)),
        (Svd(part="right"), np.eye(3), random(3, 3)),
        (Svd(part="left"), np.diag([2.0, 1.0, 0.0])[:, [0, 2]], random(3, 2)),
        (Svd(part="right"), np.diag([2.0, 1.0, 0.0])[[0, 2]], random(3, 2)),
    ],
)
def test_refuses_a_gradient_that_depends_on_the_choice_of_a_basis(layer: Layer, X: Array, upstream: Array) -> None:
    with pytest.raises(Refusal) as refused:
        gradient(layer, X[None], upstream[None])
    (issue,) = refused.value.issues
    assert (issue.code, issue.path) == ("non-finite", ("network", "layers", 0))
    assert "values of matrix [0] are equal" in issue.detail
    assert issue.hint and "matrix_log" in issue.hint


@pytest.mark.parametrize("kind", [Eigh, Svd])
def test_the_values_have_their_gradient_at_equal_values_if_it_exists(kind: type[Layer]) -> None:
    Q = orthogonal(3)
    X = (Q * np.array([1.0, 1.0, 3.0])) @ Q.T
    upstream = np.array([0.5, 0.5, 2.0])
    expected = 0.5 * np.eye(3) + 1.5 * np.outer(Q[:, 2], Q[:, 2])
    found = gradient(kind(), sym(X)[None], (upstream if kind is Eigh else upstream[::-1])[None])  # type: ignore[call-arg]
    np.testing.assert_allclose(found[0], expected, atol=1e-13)


@pytest.mark.parametrize("gap", [0.0, 1e-14, 1e-10, 1e-7])
@pytest.mark.parametrize("layer", [Eigh(part="vectors"), Svd(part="left"), Svd(part="right")])
def test_a_small_gap_is_a_warning_with_its_size(layer: Layer, gap: float) -> None:
    X = np.stack([np.diag([1.0, 2.0, 3.0]), np.diag([2.0 + gap, 2.0, 4.0])])
    (issue,) = ran(layer, X).warnings
    assert issue.code == "small-gap"
    assert issue.path == ("network", "layers", 0)
    assert issue.got == pytest.approx(gap, abs=1e-15)
    assert "matrix [1]" in issue.detail
    assert ("equal" in issue.detail) is (gap < 1e-13)


def test_ordinary_gaps_and_values_are_no_warning() -> None:
    assert not ran(Eigh(part="vectors"), np.diag([1.0, 2.0, 3.0])[None]).warnings
    assert not ran(Eigh(), np.eye(3)[None]).warnings
    assert not ran(Svd(), np.zeros((1, 2, 3))).warnings


def test_the_last_vector_of_a_high_matrix_keeps_its_distance_from_0() -> None:
    (issue,) = ran(Svd(part="left"), np.diag([1.0, 1e-9, 1.0])[None, :, :2]).warnings
    assert "2 and 0" in issue.detail


@pytest.mark.parametrize("layer", [Svd(), Svd(part="left"), Svd(part="right")])
@pytest.mark.parametrize("shape", [(1, 4, 2), (1, 2, 4), (1, 3, 3)])
def test_second_derivatives_pass(layer: Layer, shape: Shape) -> None:
    problem = sampled([layer], {"input": shape}, loss=HalfSquaredError())
    v, h = random(*shape, seed=7), 1e-4
    found = hessian_vector(problem, Direction({}, {"input": v})).inputs["input"]
    X, slopes = problem.inputs["input"].copy(), []
    for s in (-2, -1, 1, 2):
        problem.inputs["input"][...] = X + s * h * v
        slopes.append(solved(problem).gradients.input_gradients["input"].copy())
    expected = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / (12 * h)
    np.testing.assert_allclose(found, expected, atol=1e-7 * np.abs(expected).max())
