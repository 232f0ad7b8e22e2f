"""S3: Justin Johnson, Backpropagation for a Linear Layer (2017). row; the upstream gradient comes from the caller."""

from __future__ import annotations

import httpx
import numpy as np

from tests.systems.network import close, dense, numerical_gradient, post


def test_the_linear_layer(client: httpx.Client) -> None:
    rng = np.random.default_rng(3)
    X, W, dY = rng.standard_normal((2, 2)), rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    answer = post(
        client,
        network={"layers": [dense(3)]},
        parameters={"1": {"weight": W}},
        batch={"inputs": X, "upstream": dY},
        loss={"kind": "upstream"},
        convention="row",
        include=["output", "gradients", "input_gradient"],
    )
    close(answer["output"], X @ W)
    close(answer["input_gradient"], dY @ W.T)
    close(answer["gradients"]["1"]["weight"], X.T @ dY)
    close(answer["input_gradient"], numerical_gradient(lambda x: np.sum(dY * (x @ W)), X), rtol=1e-8)
    assert "loss" not in answer
