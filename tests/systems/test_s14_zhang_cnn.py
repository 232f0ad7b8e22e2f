"""S14: Zhifei Zhang, Derivation of Backpropagation in Convolutional Neural Network (2016), with his network and equations."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, numerical_gradient, post, sigmoid

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(14)
X = RNG.random((2, 1, 28, 28))
Y = np.eye(10)[[3, 7]]
K1, B1 = RNG.standard_normal((6, 1, 5, 5)) / 5, RNG.standard_normal(6) / 5
K2, B2 = RNG.standard_normal((12, 6, 5, 5)) / 12, RNG.standard_normal(12) / 5
W, B = RNG.standard_normal((192, 10)) / 10, RNG.standard_normal(10) / 5
LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 6, "kernel_size": 5, "mode": "convolution", "activation": "sigmoid", "name": "C1"},
    {"kind": "average_pool2d", "size": 2, "name": "S1"},
    {"kind": "conv2d", "filters": 12, "kernel_size": 5, "mode": "convolution", "activation": "sigmoid", "name": "C2"},
    {"kind": "average_pool2d", "size": 2, "name": "S2"},
    {"kind": "flatten", "order": "column_scan", "name": "f"},
    {"kind": "dense", "units": 10, "activation": "sigmoid", "name": "out"},
]


def rot180(k: Array) -> Array:
    return k[::-1, ::-1]


def valid(a: Array, k: Array) -> Array:
    """a ∗ k, the true convolution of two matrices, where k lies within a."""
    turned = rot180(k)
    rows, columns = a.shape[0] - k.shape[0] + 1, a.shape[1] - k.shape[1] + 1
    return np.array(
        [[np.sum(a[r : r + k.shape[0], c : c + k.shape[1]] * turned) for c in range(columns)] for r in range(rows)]
    )


def full(a: Array, k: Array) -> Array:
    """a ∗ k wherever the two overlap."""
    return valid(np.pad(a, [(k.shape[0] - 1,) * 2, (k.shape[1] - 1,) * 2]), k)


def pooled(a: Array) -> Array:
    """The mean of every 2 x 2."""
    return np.asarray((a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) / 4)


def upsampled(a: Array) -> Array:
    """ΔC = ¼ ΔS for each of the four that were averaged."""
    return np.kron(a, np.ones((2, 2))) / 4


def forward(x: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
    """C1, S1, C2, S2, f and ŷ of one image."""
    C1 = np.array([sigmoid(valid(x, K1[p, 0]) + B1[p]) for p in range(6)])
    S1 = np.array([pooled(c) for c in C1])
    C2 = np.array([sigmoid(sum(valid(S1[p], K2[q, p]) for p in range(6)) + B2[q]) for q in range(12)])
    S2 = np.array([pooled(c) for c in C2])
    f = np.concatenate([s.ravel(order="F") for s in S2])
    return C1, S1, C2, S2, f, sigmoid(W.T @ f + B)


def sent(client: httpx.Client, **more: Any) -> dict[str, Any]:
    return post(
        client,
        network={"layers": LAYERS},
        parameters={
            "C1": {"weight": K1, "bias": B1},
            "C2": {"weight": K2, "bias": B2},
            "out": {"weight": W, "bias": B},
        },
        batch={"inputs": X, "targets": Y},
        loss={"kind": "half_squared_error", "reduction": "sum"},
        convention="row",
        **more,
    )


def test_his_equations(client: httpx.Client) -> None:
    answer = sent(
        client,
        include=["loss", "activations", "deltas", "gradients", "input_gradient", "per_example_gradients"],
        verify=True,
    )
    assert answer["certificate"]["relative_error"] < 1e-13
    total = 0.0
    for n, x in enumerate(X[:, 0]):
        C1, S1, C2, S2, f, y = forward(x)
        total += 0.5 * np.sum((y - Y[n]) ** 2)
        for name, value in (("C1", C1), ("S1", S1), ("C2", C2), ("S2", S2), ("f", f), ("out", y)):
            close(answer["activations"][name][n], value)
        d_out = (y - Y[n]) * y * (1 - y)
        df = W @ d_out
        dS2 = np.array([part.reshape(4, 4, order="F") for part in df.reshape(12, 16)])
        dC2 = np.array([upsampled(d) for d in dS2]) * C2 * (1 - C2)
        dS1 = np.array([sum(full(dC2[q], rot180(K2[q, p])) for q in range(12)) for p in range(6)])
        dC1 = np.array([upsampled(d) for d in dS1]) * C1 * (1 - C1)
        for name, delta in (("out", d_out), ("f", df), ("S2", dS2), ("C2", dC2), ("S1", dS1), ("C1", dC1)):
            close(answer["deltas"][name][n], delta, rtol=1e-11, atol=1e-14)
        close(answer["input_gradient"][n][0], sum(full(dC1[p], rot180(K1[p, 0])) for p in range(6)), atol=1e-14)
        own = answer["per_example_gradients"]
        close(own["out"]["weight"][n], np.outer(f, d_out), atol=1e-14)
        close(own["C2"]["weight"][n], [[valid(rot180(S1[p]), dC2[q]) for p in range(6)] for q in range(12)], atol=1e-13)
        close(own["C2"]["bias"][n], dC2.sum((1, 2)), atol=1e-13)
        close(own["C1"]["weight"][n], [[valid(rot180(x), dC1[p])] for p in range(6)], atol=1e-13)
        close(own["C1"]["bias"][n], dC1.sum((1, 2)), atol=1e-13)
    close(answer["loss"], total)
    for layer, named in answer["gradients"].items():
        for name, gradient in named.items():
            close(gradient, np.sum(answer["per_example_gradients"][layer][name], axis=0), atol=1e-13)


def test_the_shapes_that_he_gives(client: httpx.Client) -> None:
    activations = sent(client, include=["activations"])["activations"]
    assert [np.shape(activations[name])[1:] for name in ("C1", "S1", "C2", "S2", "f", "out")] == [
        (6, 24, 24), (6, 12, 12), (12, 8, 8), (12, 4, 4), (192,), (10,),
    ]  # fmt: skip


def test_a_kernel_is_the_derivative(client: httpx.Client) -> None:
    gradient = np.array(sent(client, include=["gradients"])["gradients"]["C1"]["weight"])[2, 0]
    kernel = K1[2, 0].copy()

    def loss(at: Array) -> float:
        K1[2, 0] = at
        return float(sum(0.5 * np.sum((forward(x)[-1] - Y[n]) ** 2) for n, x in enumerate(X[:, 0])))

    expected = numerical_gradient(loss, kernel)
    K1[2, 0] = kernel
    close(gradient, expected, rtol=1e-6, atol=1e-10)
