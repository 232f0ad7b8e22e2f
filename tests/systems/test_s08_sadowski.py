"""S8: Peter Sadowski, Notes on Backpropagation: logistic and softmax outputs with cross-entropy, ∂E/∂s = y − t."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, dense, post, sigmoid

CASES = [("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy")]


def softmax(S: Array) -> Array:
    exponentials = np.exp(S - S.max(1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(1, keepdims=True))


def send(client: httpx.Client, layers: list[dict[str, Any]], W: Array, X: Array, T: Array, loss: str) -> dict[str, Any]:
    return post(
        client,
        network={"layers": layers},
        parameters={"s": {"weight": W}},
        batch={"inputs": X, "targets": T},
        loss={"kind": loss, "reduction": "sum"},
        convention="row",
        include=["loss", "output", "deltas", "gradients"],
        layers=["s"],
    )


@pytest.mark.parametrize(("activation", "loss"), CASES)
def test_the_error_signal_is_y_minus_t_by_the_fused_and_the_unfused_route(
    client: httpx.Client, activation: str, loss: str
) -> None:
    rng = np.random.default_rng(8)
    X, W = rng.standard_normal((5, 3)), rng.standard_normal((3, 4))
    T = np.eye(4)[[0, 2, 1, 3, 2]]
    y = sigmoid(X @ W) if activation == "sigmoid" else softmax(X @ W)
    fused = send(client, [dense(4, activation, name="s")], W, X, T, loss)
    # A gain of 1 that is reached in two steps keeps loss and activation apart: f(2 · z/2).
    halved = {"kind": "activation", "function": activation, "gain": 2.0}
    apart = send(client, [dense(4, name="s"), halved], W / 2, X, T, loss)
    close(fused["output"], y)
    close(fused["deltas"]["s"], y - T)
    close(fused["gradients"]["s"]["weight"], X.T @ (y - T))
    close(apart["output"], y)
    close(apart["deltas"]["s"], 2 * (y - T))
    close(apart["loss"], fused["loss"])


@pytest.mark.parametrize(("activation", "loss"), CASES)
def test_logits_of_800_stay_finite(client: httpx.Client, activation: str, loss: str) -> None:
    X, W = np.array([[1.0], [-1.0]]), np.array([[800.0, -800.0]])
    T = np.array([[0.0, 1.0], [1.0, 0.0]])
    answer = send(client, [dense(2, activation, name="s")], W, X, T, loss)
    assert answer["loss"] == 3200.0
    close(answer["deltas"]["s"], [[1, -1], [-1, 1]])
