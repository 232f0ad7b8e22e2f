"""S1: Sudeep Raja, A Derivation of Backpropagation in Matrix Form (2016). column, no biases, W1 5x5, W2 3x5, W3 2x3."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests.systems.network import close, dense, numerical_gradient, post, sigmoid

PARTS = ["loss", "activations", "deltas", "gradients", "input_gradient"]


@pytest.mark.parametrize("batch", [1, 4])
def test_the_three_layer_network(client: httpx.Client, batch: int) -> None:
    rng = np.random.default_rng(1)
    W1, W2, W3 = rng.standard_normal((5, 5)), rng.standard_normal((3, 5)), rng.standard_normal((2, 3))
    X0, T = rng.standard_normal((5, batch)), rng.random((2, batch))
    answer = post(
        client,
        network={"layers": [dense(5, "sigmoid"), dense(3, "sigmoid"), dense(2, "sigmoid")]},
        parameters={"1": {"weight": W1}, "2": {"weight": W2}, "3": {"weight": W3}},
        batch={"inputs": X0, "targets": T},
        loss={"kind": "half_squared_error", "reduction": "sum"},
        convention="column",
        include=PARTS,
    )
    X1 = sigmoid(W1 @ X0)
    X2 = sigmoid(W2 @ X1)
    X3 = sigmoid(W3 @ X2)
    d3 = (X3 - T) * X3 * (1 - X3)
    d2 = W3.T @ d3 * X2 * (1 - X2)
    d1 = W2.T @ d2 * X1 * (1 - X1)
    close(answer["loss"], 0.5 * np.sum((X3 - T) ** 2))
    for layer, delta, below, W in (("3", d3, X2, W3), ("2", d2, X1, W2), ("1", d1, X0, W1)):
        close(answer["deltas"][layer], delta)
        close(answer["gradients"][layer]["weight"], delta @ below.T)
        assert np.shape(answer["gradients"][layer]["weight"]) == W.shape
    close(answer["input_gradient"], W1.T @ d1)

    def error(W: np.ndarray) -> float:
        return float(0.5 * np.sum((sigmoid(W3 @ sigmoid(W2 @ sigmoid(W @ X0))) - T) ** 2))

    close(answer["gradients"]["1"]["weight"], numerical_gradient(error, W1), rtol=1e-6, atol=1e-9)
