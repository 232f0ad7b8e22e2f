"""S11: one-vs-all in MATLAB/Octave. K sigmoid outputs, labels 1..K, Θ is K x (1 + in) with the bias in column 1."""

from __future__ import annotations

import httpx
import numpy as np

from tests.systems.network import close, dense, numerical_gradient, post, sigmoid


def test_cost_and_gradient_with_regularisation(client: httpx.Client) -> None:
    rng = np.random.default_rng(11)
    m, features, K, penalty = 7, 4, 3, 1.3
    X, labels = rng.standard_normal((m, features)), rng.integers(1, K + 1, m)
    Theta = rng.standard_normal((K, 1 + features))
    answer = post(
        client,
        network={"layers": [dense(K, "sigmoid", bias=True)]},
        parameters={"1": {"weight": Theta[:, 1:], "bias": Theta[:, 0]}},
        batch={"inputs": X, "targets": labels, "first_label": 1},
        loss={"kind": "binary_cross_entropy", "reduction": "mean", "l2": penalty / m},
        convention="torch",
    )
    X1, Y = np.column_stack([np.ones(m), X]), (labels[:, None] == np.arange(1, K + 1)).astype(float)

    def J(Theta: np.ndarray) -> float:
        h = sigmoid(X1 @ Theta.T)
        data = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
        return float(data + penalty / (2 * m) * np.sum(Theta[:, 1:] ** 2))

    found = np.column_stack([answer["gradients"]["1"]["bias"], answer["gradients"]["1"]["weight"]])
    without_bias = np.column_stack([np.zeros(K), Theta[:, 1:]])
    close(answer["loss"], J(Theta))
    close(found, (sigmoid(X1 @ Theta.T) - Y).T @ X1 / m + penalty / m * without_bias)
    close(found.ravel(order="F"), numerical_gradient(J, Theta).ravel(order="F"), rtol=1e-6, atol=1e-9)
