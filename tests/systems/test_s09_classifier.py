"""S9: every derivative of the two-layer classifier, each factor of the chain by itself; S25: one path at a time."""

from __future__ import annotations

import httpx
import numpy as np

from tests.systems.network import Array, close, dense, numerical_gradient, post, sigmoid

RNG = np.random.default_rng(9)


def test_every_factor_of_the_chain(client: httpx.Client) -> None:
    """The source's dZ lacks the 1/m, so it is m times the delta; its dW = (1/m) dZ Aᵀ is the gradient."""
    m = 6
    W1, b1, W2, b2 = (RNG.standard_normal(shape) for shape in ((4, 2), (4,), (1, 4), (1,)))
    X, y = RNG.standard_normal((2, m)), RNG.integers(0, 2, (1, m)).astype(float)
    answer = post(
        client,
        network={
            "layers": [
                dense(4, "tanh", bias=True, name="z1"),
                dense(1, bias=True, name="z2"),
                {"kind": "activation", "function": "sigmoid", "name": "a2"},
            ]
        },
        parameters={"z1": {"weight": W1, "bias": b1}, "z2": {"weight": W2, "bias": b2}},
        batch={"inputs": X, "targets": y},
        loss={"kind": "binary_cross_entropy"},
        convention="column",
    )
    A1 = np.tanh(W1 @ X + b1[:, None])
    a = sigmoid(W2 @ A1 + b2[:, None])
    dL_da, da_dz = -y / a + (1 - y) / (1 - a), a * (1 - a)
    dZ2 = a - y
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    close(answer["loss"], -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)))
    close(m * np.array(answer["deltas"]["a2"]), dL_da)
    close(np.divide(answer["deltas"]["z2"], answer["deltas"]["a2"]), da_dz, rtol=1e-11)
    close(m * np.array(answer["deltas"]["z2"]), dZ2)
    close(m * np.array(answer["deltas"]["z1"]), dZ1)
    close(answer["gradients"]["z2"]["weight"], dZ2 @ A1.T / m)
    close(answer["gradients"]["z2"]["bias"], dZ2.sum(1) / m)
    close(answer["gradients"]["z1"]["weight"], dZ1 @ X.T / m)
    close(answer["gradients"]["z1"]["bias"], dZ1.sum(1) / m)

    def cost(W: Array) -> float:
        a = sigmoid(W2 @ np.tanh(W @ X + b1[:, None]) + b2[:, None])
        return float(-np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)))

    close(answer["gradients"]["z1"]["weight"], numerical_gradient(cost, W1), rtol=1e-6, atol=1e-10)


def test_the_gradient_is_the_sum_over_all_paths_of_the_products_along_them(client: httpx.Client) -> None:
    """S25: ∂a_out/∂x_i = Σ over hidden units of f'(z_out) w_out f'(z_hidden) w_hidden, path by path."""
    W1, W2, x = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 1)), RNG.standard_normal((1, 3))
    answer = post(
        client,
        network={"layers": [dense(4, "sigmoid"), dense(1, "sigmoid")]},
        parameters={"1": {"weight": W1}, "2": {"weight": W2}},
        batch={"inputs": x, "upstream": [[1.0]]},
        loss={"kind": "upstream"},
        convention="row",
        include=["input_gradient", "gradients"],
    )
    hidden = sigmoid(x @ W1)[0]
    out = sigmoid(hidden @ W2)[0]
    paths = [[out * (1 - out) * W2[j, 0] * hidden[j] * (1 - hidden[j]) * W1[i, j] for j in range(4)] for i in range(3)]
    close(answer["input_gradient"][0], [sum(path)[()].item() for path in paths])
    single = out * (1 - out) * W2[2, 0] * hidden[2] * (1 - hidden[2]) * x[0, 1]
    close(answer["gradients"]["1"]["weight"][1][2], single.item())
