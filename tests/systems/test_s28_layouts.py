"""S28, S27: one network in each convention; every tensor has the shape that the equations of that convention give it."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, dense, post, sigmoid

RNG = np.random.default_rng(28)
N, D, H, K = 5, 3, 4, 2
W1, b1, W2, b2 = (RNG.standard_normal(shape) for shape in ((D, H), (H,), (H, K), (K,)))
X, Y = RNG.standard_normal((N, D)), RNG.random((N, K))
PARTS = ["loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient"]


def sent(client: httpx.Client, convention: str) -> dict[str, Any]:
    def data(array: Array) -> Array:
        return array.T if convention == "column" else array

    def weight(array: Array) -> Array:
        return array if convention == "row" else array.T

    answer = post(
        client,
        network={"layers": [dense(H, "sigmoid", bias=True), dense(K, "sigmoid", bias=True)]},
        parameters={"1": {"weight": weight(W1), "bias": b1}, "2": {"weight": weight(W2), "bias": b2}},
        batch={"inputs": data(X), "targets": data(Y)},
        loss={"kind": "half_squared_error", "reduction": "sum"},
        convention=convention,
        include=PARTS,
    )
    return answer


def test_row(client: httpx.Client) -> None:
    """Z = A W + 1 bᵀ; ∂L/∂W = Aᵀ Δ; (Δ Wᵀ) ∘ f'(Z)."""
    answer = sent(client, "row")
    A1 = sigmoid(X @ W1 + b1)
    A2 = sigmoid(A1 @ W2 + b2)
    D2 = (A2 - Y) * A2 * (1 - A2)
    D1 = (D2 @ W2.T) * A1 * (1 - A1)
    close(answer["deltas"]["1"], D1)
    close(answer["gradients"]["2"]["weight"], A1.T @ D2)
    close(answer["gradients"]["1"]["weight"], X.T @ D1)
    close(answer["input_gradient"], D1 @ W1.T)


def test_column(client: httpx.Client) -> None:
    """Z = W A + b 1ᵀ; ∂L/∂W = Δ Aᵀ; (Wᵀ Δ) ∘ f'(Z)."""
    answer = sent(client, "column")
    A0, V1, V2 = X.T, W1.T, W2.T
    A1 = sigmoid(V1 @ A0 + b1[:, None])
    A2 = sigmoid(V2 @ A1 + b2[:, None])
    D2 = (A2 - Y.T) * A2 * (1 - A2)
    D1 = (V2.T @ D2) * A1 * (1 - A1)
    close(answer["deltas"]["1"], D1)
    close(answer["gradients"]["2"]["weight"], D2 @ A1.T)
    close(answer["gradients"]["1"]["weight"], D1 @ A0.T)
    close(answer["input_gradient"], V1.T @ D1)


def test_torch(client: httpx.Client) -> None:
    """Z = A Wᵀ + 1 bᵀ; ∂L/∂W = Δᵀ A; (Δ W) ∘ f'(Z)."""
    answer = sent(client, "torch")
    V1, V2 = W1.T, W2.T
    A1 = sigmoid(X @ V1.T + b1)
    A2 = sigmoid(A1 @ V2.T + b2)
    D2 = (A2 - Y) * A2 * (1 - A2)
    D1 = (D2 @ V2) * A1 * (1 - A1)
    close(answer["deltas"]["1"], D1)
    close(answer["gradients"]["2"]["weight"], D2.T @ A1)
    close(answer["gradients"]["1"]["weight"], D1.T @ X)
    close(answer["input_gradient"], D1 @ V1)


@pytest.mark.parametrize("convention", ["row", "column", "torch"])
def test_every_shape_is_that_of_the_table(client: httpx.Client, convention: str) -> None:
    """S27: what a reader multiplies in his own convention fits without a transposition that is not in the equation."""
    answer = sent(client, convention)
    turned = convention == "column"
    expected = {"1": (H, N) if turned else (N, H), "2": (K, N) if turned else (N, K)}
    for part in ("preactivations", "activations", "deltas"):
        assert {layer: np.shape(tensor) for layer, tensor in answer[part].items()} == expected
    assert np.shape(answer["output"]) == expected["2"]
    assert np.shape(answer["input_gradient"]) == ((D, N) if turned else (N, D))
    weights = {layer: np.shape(named["weight"]) for layer, named in answer["gradients"].items()}
    assert weights == ({"1": (D, H), "2": (H, K)} if convention == "row" else {"1": (H, D), "2": (K, H)})
    assert {layer: np.shape(named["bias"]) for layer, named in answer["gradients"].items()} == {"1": (H,), "2": (K,)}
