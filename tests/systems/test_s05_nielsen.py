"""S5: Michael Nielsen, Neural Networks and Deep Learning, ch. 2: BP1 to BP4 for C = 1/2n Σ ‖y − a‖²; and S2, S7, S21."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np

from tests.systems.network import Array, close, dense, numerical_gradient, post, sigmoid

RNG = np.random.default_rng(5)
W2, b2, W3, b3 = (RNG.standard_normal(shape) for shape in ((4, 3), (4,), (2, 4), (2,)))
X, Y = RNG.standard_normal((3, 6)), RNG.random((2, 6))


def send(client: httpx.Client, inputs: Array, targets: Array, reduction: str = "mean") -> dict[str, Any]:
    return post(
        client,
        network={"layers": [dense(4, "sigmoid", bias=True), dense(2, "sigmoid", bias=True)]},
        parameters={"1": {"weight": W2, "bias": b2}, "2": {"weight": W3, "bias": b3}},
        batch={"inputs": inputs, "targets": targets},
        loss={"kind": "half_squared_error", "reduction": reduction},
        convention="column",
        include=["loss", "preactivations", "activations", "deltas", "gradients", "per_example_gradients"],
    )


def test_the_four_equations(client: httpx.Client) -> None:
    answer = send(client, X, Y)
    n = X.shape[1]
    z2 = W2 @ X + b2[:, None]
    a2 = sigmoid(z2)
    z3 = W3 @ a2 + b3[:, None]
    a3 = sigmoid(z3)
    d3 = (a3 - Y) / n * a3 * (1 - a3)  # BP1
    d2 = W3.T @ d3 * a2 * (1 - a2)  # BP2
    close(answer["loss"], np.sum((Y - a3) ** 2) / (2 * n))
    close(answer["preactivations"]["2"], z3)
    close(answer["deltas"]["2"], d3)
    close(answer["deltas"]["1"], d2)
    close(answer["gradients"]["1"]["bias"], d2.sum(1))  # BP3
    close(answer["gradients"]["1"]["weight"], d2 @ X.T)  # BP4
    close(answer["gradients"]["2"]["weight"], d3 @ a2.T)

    def cost(W: Array) -> float:
        hidden = sigmoid(W @ X + b2[:, None])
        return float(np.sum((Y - sigmoid(W3 @ hidden + b3[:, None])) ** 2) / (2 * n))

    close(answer["gradients"]["1"]["weight"], numerical_gradient(cost, W2), rtol=1e-6, atol=1e-10)


def test_the_minibatch_equals_its_examples_one_by_one(client: httpx.Client) -> None:
    """S21: the gradient of the sum is the sum of the gradients, that of the mean their mean."""
    singles = [send(client, X[:, [i]], Y[:, [i]])["gradients"] for i in range(X.shape[1])]
    apart = send(client, X, Y)["per_example_gradients"]
    for layer in ("1", "2"):
        for name in ("weight", "bias"):
            close(apart[layer][name], [single[layer][name] for single in singles])
    for reduction, combine in (("mean", np.mean), ("sum", np.sum)):
        together = send(client, X, Y, reduction)["gradients"]
        for layer in ("1", "2"):
            for name in ("weight", "bias"):
                expected = combine([single[layer][name] for single in singles], axis=0)
                close(together[layer][name], expected, rtol=1e-12)
