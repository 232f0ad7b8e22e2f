"""S2: Thomas Kurbiel, Deriving the Backpropagation Equations from Scratch. Dense layers with bias, column."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np

from tests.systems.network import Array, close, dense, numerical_gradient, post

RNG = np.random.default_rng(2)
W1, b1, W2, b2 = (RNG.standard_normal(shape) for shape in ((4, 3), (4,), (2, 4), (2,)))
X, Y = RNG.standard_normal((3, 1)), RNG.standard_normal((2, 1))
PARTS = ["activations", "deltas", "gradients", "input_gradient"]


def loss_from_a1(a1: Array) -> float:
    return float(0.5 * np.sum((np.tanh(W2 @ a1 + b2[:, None]) - Y) ** 2))


def test_his_intermediate_result_is_the_delta_of_the_activation_as_a_layer_of_its_own(client: httpx.Client) -> None:
    """∂L/∂a^{l−1}, before f', stands between δ^l and δ^{l−1}. Activations folded into the dense layers skip it."""
    problem: dict[str, Any] = {
        "batch": {"inputs": X, "targets": Y},
        "loss": {"kind": "half_squared_error"},
        "convention": "column",
        "include": PARTS,
    }
    tanh = {"kind": "activation", "function": "tanh"}
    apart = post(
        client,
        network={
            "layers": [
                dense(4, bias=True, name="z1"),
                {**tanh, "name": "a1"},
                dense(2, bias=True, name="z2"),
                {**tanh, "name": "a2"},
            ]
        },
        parameters={"z1": {"weight": W1, "bias": b1}, "z2": {"weight": W2, "bias": b2}},
        **problem,
    )
    a1 = np.tanh(W1 @ X + b1[:, None])
    a2 = np.tanh(W2 @ a1 + b2[:, None])
    d2 = (1 - a2**2) * (a2 - Y)
    d_a1 = W2.T @ d2
    d1 = (1 - a1**2) * d_a1
    for name, delta in (("a2", a2 - Y), ("z2", d2), ("a1", d_a1), ("z1", d1)):
        close(apart["deltas"][name], delta)
    close(apart["gradients"]["z2"]["weight"], d2 @ a1.T)
    close(apart["gradients"]["z1"]["weight"], d1 @ X.T)
    close(apart["gradients"]["z1"]["bias"], d1[:, 0])
    close(apart["input_gradient"], W1.T @ d1)
    close(apart["deltas"]["a1"], numerical_gradient(loss_from_a1, a1), rtol=1e-7, atol=1e-9)

    folded = post(
        client,
        network={"layers": [dense(4, "tanh", bias=True), dense(2, "tanh", bias=True)]},
        parameters={"1": {"weight": W1, "bias": b1}, "2": {"weight": W2, "bias": b2}},
        **problem,
    )
    close(folded["deltas"]["1"], d1)
    assert list(folded["gradients"].values()) == list(apart["gradients"].values())
