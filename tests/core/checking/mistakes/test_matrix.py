"""The mistakes in layers of matrices, made by programs that go through matrices and pairs of eigenvalues one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.checking.mistakes.matrix import MATRIX
from core.checking.quantity import Quantity
from core.convention import Convention
from core.losses import LOSSES
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.checking.other_programs import layer

Array = NDArray[np.float64]
N = 3


def problem(top: Any, inputs: dict[str, Array], targets: Array, convention: Convention = "row") -> Problem:
    loss: Any = LOSSES["half_squared_error"]
    return validate(
        ProblemSpec(layers=[top], inputs=inputs, parameters={}, targets=targets, loss=loss(), convention=convention)
    )


def at_input(name: str = "input") -> Quantity:
    return Quantity("input_gradient", name)


def with_signs(U: Array) -> Array:
    """The vectors with their largest component positive."""
    return np.asarray(U * [np.sign(column[np.argmax(np.abs(column))]) for column in U.T])


def spectral(kind: str, wrong: str, seed: int, rows: int = 6, d: int = 4, **fields: Any) -> tuple[Problem, Array]:
    """The gradient of ½‖Z − Y‖²/n through eigh or a function of a symmetric matrix."""
    rng = np.random.default_rng(seed)
    F, pooled = rng.standard_normal((N, rows, d)), kind == "second_order_pooling"
    epsilon = fields.get("epsilon", 0.0)
    X = np.stack([f.T @ f + (epsilon if pooled else 0) * np.eye(d) for f in F])
    values_only = fields.get("part") == "values"
    Y = rng.standard_normal((N, d) if values_only else (N, d, d))
    p = fields.get("exponent", 0.0)
    f: Callable[[float], float] = (lambda x: x**p) if kind == "matrix_power" else np.log
    slope: Callable[[float], float] = (lambda x: p * x ** (p - 1)) if kind == "matrix_power" else (lambda x: 1 / x)
    found = np.zeros_like(F if pooled else X)
    for e in range(N):
        values, U = np.linalg.eigh(X[e])
        U = with_signs(U)
        Z = values if values_only else U
        if kind != "eigh":
            Z = U @ np.diag([f(v) for v in values]) @ U.T
        dZ = (Z - Y[e]) / N
        V = U.T if wrong == "transposed" else U
        if values_only:
            found[e] = V @ np.diag(dZ) @ V.T
            continue
        kernel = np.zeros((d, d))
        for i in range(d):
            for j in range(d):
                gap, numerator = values[j] - values[i], f(values[j]) - f(values[i]) if kind != "eigh" else 1.0
                if abs(gap) < 1e-10:
                    kernel[i, j] = 0 if kind == "eigh" or (wrong == "zeros" and i != j) else slope(values[i])
                else:
                    gaps = {"sign": -gap, "sum": values[i] + values[j], "not-inverted": 1 / gap}
                    kernel[i, j] = numerator / gaps.get(wrong, gap)
                if kind != "eigh" and wrong in ("row", "column", "mean"):
                    share = {"row": 1.0, "column": 0.0, "mean": 0.5}[wrong]
                    kernel[i, j] = share * slope(values[i]) + (1 - share) * slope(values[j])
                if (wrong == "diagonal-only" and i != j) or (wrong == "diagonal-missing" and i == j):
                    kernel[i, j] = 0
        if kind == "eigh":
            inside = kernel * (V.T @ dZ)
            inside = inside if wrong == "unsymmetric" else (inside + inside.T) / 2
        else:
            inside = kernel * (V.T @ (dZ if wrong == "unsymmetric" else (dZ + dZ.T) / 2) @ V)
        dX = V @ inside @ V.T
        found[e] = 2 * F[e] @ dX if pooled else dX
    return problem(layer(kind, **fields), {"input": F if pooled else X}, Y), found


POOLING = ("second_order_pooling", {"epsilon": 0.1})
VECTORS, VALUES = ("eigh", {"part": "vectors"}), ("eigh", {"part": "values"})
FUNCTIONS = [("matrix_log", {}), ("matrix_power", {"exponent": 0.5}), POOLING]
OF_FUNCTIONS = [
    ("sign", "eigenvalue-gap-sign"),
    ("sum", "eigenvalue-gap-sum"),
    ("not-inverted", "eigenvalue-gap-not-inverted"),
    ("diagonal-only", "eigenvalue-part-only"),
    ("diagonal-missing", "eigenvalue-part-missing"),
    *((name, "derivative-off-the-diagonal") for name in ("row", "column", "mean")),
    ("unsymmetric", "not-symmetrised"),
    ("transposed", "eigenvectors-transposed"),
]
SPECTRAL = [
    *(
        (*function, *mistake)
        for function in FUNCTIONS
        for mistake in OF_FUNCTIONS[: 9 if function == POOLING else None]
    ),
    *(
        (*VECTORS, *mistake)
        for mistake in OF_FUNCTIONS
        if mistake[0] in ("sign", "sum", "not-inverted", "unsymmetric", "transposed")
    ),
    (*VALUES, "transposed", "eigenvectors-transposed"),
]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("kind", "fields"), [*FUNCTIONS, VECTORS, VALUES])
def test_a_right_spectral_program_computes_what_the_core_computes(kind: str, fields: dict[str, Any], seed: int) -> None:
    sent, found = spectral(kind, "", seed, **fields)
    np.testing.assert_allclose(found, right_values(sent)[at_input()], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "fields", "wrong", "slug"), SPECTRAL)
def test_a_mistake_in_a_decomposition_is_named(
    kind: str, fields: dict[str, Any], wrong: str, slug: str, seed: int
) -> None:
    sent, yours = spectral(kind, wrong, seed, **fields)
    found = named(sent, at_input(), {at_input(): yours})
    assert slug in found
    flipped = (
        {"sign-flipped", "constant-factor"} if (kind, wrong) == ("eigh", "sign") else set()
    )  # It is all of the gradient.
    assert found <= {slug, *flipped}


@pytest.mark.parametrize("seed", range(3))
def test_zeros_at_equal_eigenvalues_are_named(seed: int) -> None:
    matrices = np.stack([np.diag([2.0, 2.0, 5.0]), np.diag([1.0, 3.0, 3.0])])
    rng = np.random.default_rng(seed)
    Y = rng.standard_normal((2, 3, 3))
    found = np.zeros_like(matrices)
    for e, X in enumerate(matrices):
        values = np.diag(X)
        dZ = (np.diag(np.log(values)) - Y[e]) / 2
        for i in range(3):
            for j in range(3):
                if i == j:
                    kernel = 1 / values[i]
                elif values[i] == values[j]:
                    kernel = 0.0
                else:
                    kernel = (np.log(values[i]) - np.log(values[j])) / (values[i] - values[j])
                found[e, i, j] = kernel * (dZ[i, j] + dZ[j, i]) / 2
    sent = problem(layer("matrix_log"), {"input": matrices}, Y)
    assert named(sent, at_input(), {at_input(): found}) == {"equal-eigenvalues-zero"}


def singular(part: str, wrong: str, seed: int, shape: tuple[int, int]) -> tuple[Problem, Array]:
    """The gradient of ½‖Z − Y‖²/n through svd."""
    rng = np.random.default_rng(seed)
    X, p = rng.standard_normal((N, *shape)), min(shape)
    result = {"values": (p,), "left": (shape[0], p), "right": (shape[1], p)}[part]
    Y, found = rng.standard_normal((N, *result)), np.zeros_like(X)
    for e in range(N):
        U, values, Vt = np.linalg.svd(X[e], full_matrices=False)
        sign = np.array([np.sign(column[np.argmax(np.abs(column))]) for column in U.T])
        U, V = U * sign, Vt.T * sign
        if part == "values":
            dZ = (values - Y[e]) / N
            found[e] = U @ np.diag(dZ) @ (V if wrong == "V" else V.T)
            continue
        mine, other = (U, V) if part == "left" else (V, U)
        dZ = (mine - Y[e]) / N
        twist = mine.T @ dZ
        inside = np.zeros((p, p))
        for i in range(p):
            for j in range(p):
                if i == j:
                    continue
                gap = values[j] ** 2 - values[i] ** 2
                gap = {
                    "sign": -gap,
                    "sum": values[j] ** 2 + values[i] ** 2,
                    "not-inverted": 1 / gap,
                    "not-squared": values[j] - values[i],
                }.get(wrong, gap)
                turn = twist[i, j] if wrong == "not-antisymmetric" else twist[i, j] - twist[j, i]
                turn *= {"turn-missing": 0, "halved": 0.5, "doubled": 2}.get(wrong, 1)
                inside[i, j] = turn / gap * (1 if wrong == "no-values" else values[j])
        dX = mine @ inside
        if wrong != "outside-missing":
            projector = np.eye(len(mine)) - mine @ mine.T
            dX = dX + projector @ dZ / (1 if wrong == "outside-not-divided" else values)
        dX = dX @ (other if wrong == "V" else other.T)
        found[e] = dX if part == "left" else dX.T
    return problem(layer("svd", part=part), {"input": X}, Y), found


OF_SVD = [
    ("sign", "singular-gap-sign"),
    ("sum", "singular-gap-sum"),
    ("not-inverted", "singular-gap-not-inverted"),
    ("not-squared", "singular-gap-not-squared"),
    ("turn-missing", "singular-turn-missing"),
    ("not-antisymmetric", "singular-not-antisymmetric"),
    ("halved", "singular-turn-halved"),
    ("doubled", "singular-turn-doubled"),
    ("no-values", "singular-values-left-out"),
    ("outside-missing", "singular-outside-missing"),
    ("outside-not-divided", "singular-outside-not-divided"),
    ("V", "singular-vectors-not-transposed"),
]
SHAPES = {"left": (5, 3), "right": (3, 5), "values": (4, 3)}


@pytest.mark.parametrize("part", SHAPES)
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_a_right_svd_computes_what_the_core_computes(part: str, shape: tuple[int, int]) -> None:
    sent, found = singular(part, "", 1, shape)
    np.testing.assert_allclose(found, right_values(sent)[at_input()], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("part", ["left", "right"])
@pytest.mark.parametrize(("wrong", "slug"), OF_SVD)
def test_a_mistake_in_svd_is_named(part: str, wrong: str, slug: str, seed: int) -> None:
    sent, found = singular(part, wrong, seed, SHAPES[part])
    assert named(sent, at_input(), {at_input(): found}) == {slug}


def test_singular_vectors_not_transposed_are_named_for_the_values_too() -> None:
    sent, found = singular("values", "V", 2, SHAPES["values"])
    assert named(sent, at_input(), {at_input(): found}) == {"singular-vectors-not-transposed"}


OF_MATMUL: list[tuple[str, str, Callable[[Array, Array, Array], tuple[Array, Array]]]] = [
    ("swapped", "matmul-gradients-swapped", lambda D, A, B: (A.T @ D, D @ B.T)),
    ("not-transposed", "matmul-operand-not-transposed", lambda D, A, B: (D @ B, A @ D)),
    ("order", "matmul-factors-in-wrong-order", lambda D, A, B: (B.T @ D, D @ A.T)),
    ("own", "matmul-own-operand", lambda D, A, B: (D @ A.T, B.T @ D)),
    ("transposed", "matmul-gradient-transposed", lambda D, A, B: ((D @ B.T).T, (A.T @ D).T)),
]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("wrong", "slug", "gradients"), OF_MATMUL)
def test_a_mistake_in_matmul_is_named(
    wrong: str, slug: str, gradients: Callable[[Array, Array, Array], tuple[Array, Array]], seed: int, shared: bool
) -> None:
    """`shared`: one right operand for all examples, so that its gradient is a sum."""
    rng = np.random.default_rng(seed)
    A, B, Y = (
        rng.standard_normal((N, 3, 3)),
        rng.standard_normal((1 if shared else N, 3, 3)),
        rng.standard_normal((N, 3, 3)),
    )
    dA, dB = np.zeros_like(A), np.zeros_like(B)
    for e in range(N):
        b = 0 if shared else e
        dA[e], added = gradients((A[e] @ B[b] - Y[e]) / N, A[e], B[b])
        dB[b] += added
    sent = problem(layer("matmul", inputs=["a", "b"]), {"a": A, "b": B}, Y)
    for name, found in (("a", dA), ("b", dB)):
        assert named(sent, at_input(name), {at_input(name): found}) == {slug}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("wrong", "slug", "gradients"), OF_MATMUL)
def test_a_mistake_in_matmul_of_columns_is_named(
    wrong: str, slug: str, gradients: Callable[[Array, Array, Array], tuple[Array, Array]], seed: int
) -> None:
    """The core turns matrices of the column convention; the product is that of the matrices as sent."""
    rng = np.random.default_rng(seed)
    A, B, Y = (rng.standard_normal((3, 3)) for _ in range(3))
    sent = problem(layer("matmul", inputs=["a", "b"]), {"a": A, "b": B}, Y, "column")
    for name, found in zip("ab", gradients((A @ B - Y) / 3, A, B), strict=True):
        assert named(sent, at_input(name), {at_input(name): found.T}) == {slug}


@pytest.mark.parametrize("seed", range(3))
def test_a_mistake_in_transpose_is_named(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((N, 2, 4)), rng.standard_normal((N, 4, 2))
    D = (np.stack([x.T for x in X]) - Y) / N
    sent = problem(layer("transpose"), {"input": X}, Y)
    assert named(sent, at_input(), {at_input(): D.reshape(X.shape)}) == {"transpose-reshaped"}
    X, Y = rng.standard_normal((N, 4, 4)), rng.standard_normal((N, 4, 4))
    D = (np.stack([x.T for x in X]) - Y) / N
    sent = problem(layer("transpose"), {"input": X}, Y)
    assert named(sent, at_input(), {at_input(): D}) == {"transpose-left-out-backward"}
    X, Y = rng.standard_normal((N, 2, 2, 2)), rng.standard_normal((N, 2, 2, 2))
    order = (0, 2, 3, 1)
    sent = problem(layer("transpose", axes=list(order)), {"input": X}, Y)
    D = (X.transpose(order) - Y) / N
    assert named(sent, at_input(), {at_input(): D.transpose(order)}) == {"permutation-not-inverted"}


def test_every_mistake_is_made_by_a_program() -> None:
    slugs = {slug for *_, slug in SPECTRAL} | {slug for _, slug in OF_SVD} | {slug for _, slug, _ in OF_MATMUL}
    slugs |= {"equal-eigenvalues-zero", "transpose-reshaped", "transpose-left-out-backward", "permutation-not-inverted"}
    assert slugs == {kind.slug for kind in MATRIX}
