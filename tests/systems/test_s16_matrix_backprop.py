"""S16: Ionescu, Vantzos & Sminchisescu, "Matrix Backpropagation for Deep Networks with Structured Layers" (2015).

Every quantity is computed here from the paper's equations, and once more by central differences of the definition.
"""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, numerical_gradient, post

GENERATOR = np.random.default_rng(2015)
CONVENTIONS = ("row", "column", "torch")


def sym(A: Array) -> Array:
    """A_sym = ½ (A + Aᵀ)."""
    return np.asarray((A + A.T) / 2)


def differences(values: Any) -> Array:
    """K̃_ij = 1/(σ_i − σ_j), 0 on the diagonal."""
    size = len(values)
    return np.asarray((1 - np.eye(size)) / (values[:, None] - values[None, :] + np.eye(size)))


def gradient(client: httpx.Client, X: Array, upstream: Array, *layers: dict[str, Any], **more: Any) -> Array:
    """∂⟨upstream, output⟩/∂X for one matrix, which is sent as a batch of one."""
    answer = post(
        client,
        network={"layers": list(layers)},
        batch={"inputs": X[None], "upstream": upstream[None]},
        loss={"kind": "upstream"},
        include=["input_gradient"],
        **more,
    )
    return np.array(answer["input_gradient"][0])


def factor(client: httpx.Client, X: Array, **layer: str) -> Array:
    """What one layer makes of one matrix."""
    answer = post(client, "/v1/forward", network={"layers": [layer]}, batch={"inputs": X[None]})
    return np.array(answer["output"][0])


def logarithm(A: Array) -> Array:
    """log A = U log(Λ) Uᵀ."""
    values, U = np.linalg.eigh(sym(A))
    return np.asarray((U * np.log(values)) @ U.T)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_svd_layer(client: httpx.Client, convention: str) -> None:
    """Eq. 13: X = U Σ Vᵀ with m ≥ n. L = ⟨A, U⟩ + ⟨a, σ⟩ + ⟨B, V⟩, one layer for each factor."""
    X = GENERATOR.standard_normal((5, 3))
    A, a, B = GENERATOR.standard_normal((5, 3)), GENERATOR.standard_normal(3), GENERATOR.standard_normal((3, 3))

    def factors(Y: Array) -> tuple[Array, Array, Array]:
        U, sigma, Vt = np.linalg.svd(Y, full_matrices=False)
        sign = np.sign(U[np.abs(U).argmax(axis=0), range(3)])
        return U * sign, sigma, Vt.T * sign

    def loss(Y: Array) -> float:
        U, sigma, V = factors(Y)
        return float((A * U).sum() + (a * sigma).sum() + (B * V).sum())

    left, right = (
        gradient(client, X, upstream, {"kind": "svd", "part": part}, convention=convention)
        for part, upstream in (("left", A), ("right", B))
    )
    values = post(
        client,
        network={"layers": [{"kind": "svd"}]},
        batch={"inputs": X[None], "upstream": a[:, None] if convention == "column" else a[None]},
        loss={"kind": "upstream"},
        include=["input_gradient", "output"],
        convention=convention,
    )
    close(np.ravel(values["output"]), factors(X)[1])
    close(left + right + np.array(values["input_gradient"])[0], numerical_gradient(loss, X), rtol=1e-7, atol=1e-9)


def test_the_variations_of_the_svd(client: httpx.Client) -> None:
    """Prop. 1: with D = ∂L/∂U₁ Σ⁻¹ − U₂ (∂L/∂U₂)ᵀ U₁ Σ⁻¹, here for a square X, where U₂ is empty:

    ∂L/∂X = D Vᵀ + U (∂L/∂Σ − Uᵀ D)_diag Vᵀ + 2 U Σ (Kᵀ ∘ (Vᵀ (∂L/∂V − V Dᵀ U Σ)))_sym Vᵀ,  K_ij = 1/(σ_i² − σ_j²).
    """
    X, dU, dV = (GENERATOR.standard_normal((4, 4)) for _ in range(3))
    U, sigma, V = (factor(client, X, kind="svd", part=part) for part in ("left", "values", "right"))
    Sigma = np.diag(sigma)
    close(U @ Sigma @ V.T, X)
    D = dU / sigma
    inner = differences(sigma**2).T * (V.T @ (dV - V @ D.T @ U @ Sigma))
    expected = D @ V.T - U @ np.diag(np.diag(U.T @ D)) @ V.T + 2 * U @ Sigma @ sym(inner) @ V.T
    left, right = ({"kind": "svd", "part": part} for part in ("left", "right"))
    close(gradient(client, X, dU, left) + gradient(client, X, dV, right), expected, rtol=1e-9)


def test_the_eigen_layer(client: httpx.Client) -> None:
    """Prop. 2: ∂L/∂Z = U ((K̃ᵀ ∘ (Uᵀ ∂L/∂U))_sym + (∂L/∂Σ)_diag) Uᵀ."""
    Z, dU, d_sigma = (
        sym(GENERATOR.standard_normal((4, 4))),
        GENERATOR.standard_normal((4, 4)),
        GENERATOR.standard_normal(4),
    )
    vectors = {"kind": "eigh", "part": "vectors"}
    U, sigma = factor(client, Z, **vectors), factor(client, Z, kind="eigh")
    close(U @ np.diag(sigma) @ U.T, Z, atol=1e-13)
    expected = U @ (sym(differences(sigma).T * (U.T @ dU)) + np.diag(d_sigma)) @ U.T
    close(gradient(client, Z, dU, vectors) + gradient(client, Z, d_sigma, {"kind": "eigh"}), expected, rtol=1e-10)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(("positions", "features"), [(6, 3), (2, 4)])
def test_second_order_pooling(client: httpx.Client, convention: str, positions: int, features: int) -> None:
    """C = log(FᵀF + εI). With fewer positions than features ε is a repeated eigenvalue, where the paper's K̃ is infinite."""
    F, upstream, epsilon = GENERATOR.standard_normal((positions, features)), np.zeros((features, features)), 1e-2
    upstream[...] = GENERATOR.standard_normal((features, features))
    layer = {"kind": "second_order_pooling", "epsilon": epsilon}

    def loss(Y: Array) -> float:
        return float((upstream * logarithm(Y.T @ Y + epsilon * np.eye(features))).sum())

    found = gradient(client, F, upstream, layer, convention=convention)
    close(found, numerical_gradient(loss, F, 1e-6), rtol=1e-5, atol=1e-6)
    if positions > features:
        # Prop. 3 by the eigen layer: ∂L/∂A of log by K̃ and 1/λ, then ∂L/∂F = 2 F (∂L/∂A).
        values, V = np.linalg.eigh(F.T @ F + epsilon * np.eye(features))
        dV, d_values = 2 * sym(upstream) @ V @ np.diag(np.log(values)), np.diag(V.T @ upstream @ V) / values
        dA = V @ (sym(differences(values).T * (V.T @ dV)) + np.diag(d_values)) @ V.T
        close(found, 2 * F @ dA, rtol=1e-9)


def test_the_logarithm_at_equal_eigenvalues_is_certified(client: httpx.Client) -> None:
    """At A = λI the derivative of log is 1/λ, whatever basis LAPACK takes; the complex step agrees."""
    for gap in (0.0, 1e-14, 1e-9):
        X, upstream = 2 * np.eye(3) + np.diag([0.0, gap, 2 * gap]), sym(GENERATOR.standard_normal((3, 3)))
        answer = post(
            client,
            network={"layers": [{"kind": "matrix_log"}]},
            batch={"inputs": X[None], "upstream": upstream[None]},
            loss={"kind": "upstream"},
            include=["input_gradient"],
            verify=True,
        )
        close(answer["input_gradient"][0], upstream / 2, rtol=1e-8, atol=1e-8)
        assert answer["certificate"]["relative_error"] < 1e-12
        assert not answer["warnings"]


def test_normalized_cuts(client: httpx.Client) -> None:
    """J = ½ ‖Π_M − Π_Ψ‖² of W = F Λ Fᵀ: the gradients of F and of Λ, each element on its own."""
    F, weight = GENERATOR.uniform(0.2, 1.5, (6, 2)), np.array([[1.0, 0.3], [0.3, 0.7]])
    E = np.eye(2)[[0, 0, 1, 1, 1, 0]]

    def J(F: Array, Lambda: Array) -> float:
        W = F @ Lambda @ F.T
        D = W.sum(axis=1)
        M, Psi = W / np.sqrt(np.outer(D, D)), np.sqrt(np.outer(D, D)) * (E @ E.T)
        of_M, of_Psi = (A @ np.linalg.pinv(A, rcond=1e-9) for A in (M, Psi))
        return 0.5 * float(np.sum((of_M - of_Psi) ** 2))

    answer = post(
        client,
        network={"layers": [
            {"kind": "dense", "units": 2, "bias": False, "name": "F Lambda"},
            {"kind": "transpose", "inputs": ["input"], "name": "F'"},
            {"kind": "matmul", "inputs": ["F Lambda", "F'"], "name": "W"},
        ]},
        parameters={"F Lambda": {"weight": weight}},
        batch={"inputs": F[None], "targets": E[None]},
        loss={"kind": "normalized_cuts"},
        include=["loss", "gradients", "input_gradient"],
        verify=True,
    )  # fmt: skip
    close(answer["loss"], J(F, weight), rtol=1e-11)
    close(answer["input_gradient"][0], numerical_gradient(lambda G: J(G, weight), F, 1e-5), rtol=1e-6, atol=1e-8)
    close(
        answer["gradients"]["F Lambda"]["weight"],
        numerical_gradient(lambda G: J(F, G), weight, 1e-5),
        rtol=1e-6,
        atol=1e-8,
    )
    assert answer["certificate"]["method"] == "complex_step"
    assert answer["certificate"]["relative_error"] < 1e-11


def test_a_small_gap_is_a_warning_and_an_equal_pair_a_refusal(client: httpx.Client) -> None:
    def request(gap: float) -> dict[str, Any]:
        X, upstream = np.diag([1.0, 1.0 + gap, 3.0]), GENERATOR.standard_normal((3, 3))
        return {
            "network": {"layers": [{"kind": "eigh", "part": "vectors", "name": "U"}]},
            "batch": {"inputs": [X.tolist()], "upstream": [upstream.tolist()]},
            "loss": {"kind": "upstream"},
            "include": ["input_gradient"],
        }

    answer = post(client, **request(1e-9))
    (warning,) = answer["warnings"]
    assert warning["code"] == "small-gap"
    assert warning["got"] == pytest.approx(1e-9, rel=1e-6)
    refused = client.post("/v1/gradients", json=request(0.0))
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["code"], error["pointer"]) == ("non-finite", "#/network/layers/0")
    assert "Layer 'U': eigenvalues of matrix [0] are equal" in error["detail"]


@pytest.mark.parametrize(
    ("layer", "inputs", "code", "pointer", "words"),
    [
        ({"kind": "eigh"}, [[[1, 2], [3, 4]]], "invalid-request", "#/network/layers/0", "are 2 and 3"),
        ({"kind": "eigh"}, [[[1, 2, 3], [3, 4, 5]]], "shape-mismatch", "#/network/layers/0", "[1, 2, 3]"),
        ({"kind": "eigh", "part": "left"}, [[[1]]], "unknown-name", "#/network/layers/0/part", "Valid: values, vectors"),
        ({"kind": "svd", "part": "vectors"}, [[[1]]], "unknown-name", "#/network/layers/0/part", "values, left, right"),
        ({"kind": "matrix_log"}, [[[1, 2], [2, 1]]], "non-finite", "#/network/layers/0", "eigenvalue of -1"),
        ({"kind": "matrix_power", "exponent": 0.5}, [[[0]]], "non-finite", "#/network/layers/0", "positive definite"),
        ({"kind": "matrix_power"}, [[[1]]], "invalid-request", "#/network/layers/0/exponent", ""),
        ({"kind": "svd"}, [1, 2], "shape-mismatch", "#/network/layers/0", "n x rows x columns"),
    ],
)  # fmt: skip
def test_refusals_name_the_layer_and_the_numbers(
    client: httpx.Client, layer: dict[str, Any], inputs: Any, code: str, pointer: str, words: str
) -> None:
    response = client.post("/v1/forward", json={"network": {"layers": [layer]}, "batch": {"inputs": inputs}})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["code"], error["pointer"]) == (code, pointer)
    assert words in error["detail"]
