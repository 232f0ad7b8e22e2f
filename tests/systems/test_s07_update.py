"""S7, S20: Δw = −ε ∂E/∂w in the k/j/i derivation; gradients are never called updates. And a rate for each weight."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np

from tests.systems.network import Array, close, dense, post, sigmoid

RNG = np.random.default_rng(7)
W_ji, W_kj = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))
X, T = RNG.standard_normal((5, 3)), RNG.random((5, 2))


def sent(client: httpx.Client, w_ji: Array, w_kj: Array) -> dict[str, Any]:
    return post(
        client,
        network={"layers": [dense(4, "sigmoid", name="j"), dense(2, "sigmoid", name="k")]},
        parameters={"j": {"weight": w_ji}, "k": {"weight": w_kj}},
        batch={"inputs": X, "targets": T},
        loss={"kind": "half_squared_error", "reduction": "sum"},
        convention="row",
    )


def test_the_change_of_a_weight_is_minus_epsilon_times_its_gradient(client: httpx.Client) -> None:
    """The source's δ_k = (t_k − a_k) a_k (1 − a_k) points downhill: it is minus the delta of the answer."""
    epsilon = 0.3
    answer = sent(client, W_ji, W_kj)
    a_j = sigmoid(X @ W_ji)
    a_k = sigmoid(a_j @ W_kj)
    delta_k = (T - a_k) * a_k * (1 - a_k)
    delta_j = (delta_k @ W_kj.T) * a_j * (1 - a_j)
    close(np.negative(answer["deltas"]["k"]), delta_k)
    close(np.negative(answer["deltas"]["j"]), delta_j)
    close(-epsilon * np.array(answer["gradients"]["k"]["weight"]), epsilon * a_j.T @ delta_k)
    close(-epsilon * np.array(answer["gradients"]["j"]["weight"]), epsilon * X.T @ delta_j)


def test_a_rate_for_each_weight(client: httpx.Client) -> None:
    """S20: W ← W − α_W ∘ ∂E/∂W. The gradient has the shape of W, so an array of rates multiplies it as it comes."""
    rates = {"j": RNG.random((3, 4)), "k": RNG.random((4, 2))}
    rates["j"][1] = 0
    weights, losses = {"j": W_ji, "k": W_kj}, []
    for _ in range(5):
        answer = sent(client, weights["j"], weights["k"])
        losses.append(answer["loss"])
        weights = {name: weights[name] - rates[name] * answer["gradients"][name]["weight"] for name in weights}
    assert losses == sorted(losses, reverse=True)
    np.testing.assert_array_equal(weights["j"][1], W_ji[1])
