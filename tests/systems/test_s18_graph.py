"""S18: gradients at every node of a computational graph; values that are read more than once; b − b gives 0."""

from __future__ import annotations

import httpx
import numpy as np

from tests.systems.network import close, dense, numerical_gradient, post


def test_b_minus_b_is_0_and_so_is_its_gradient(client: httpx.Client) -> None:
    b = np.array([[1.5, -2.0]])
    answer = post(
        client,
        network={"layers": [{"kind": "subtract", "inputs": ["input", "input"]}]},
        batch={"inputs": b, "upstream": [[1.0, 1.0]]},
        loss={"kind": "upstream"},
        include=["output", "input_gradient"],
    )
    assert answer["output"] == answer["input_gradient"] == [[0.0, 0.0]]


def test_skip_connections_receive_the_sum_of_all_paths(client: httpx.Client) -> None:
    rng = np.random.default_rng(18)
    X, G = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    W1, W2 = rng.standard_normal((4, 4)), rng.standard_normal((4, 4))
    layers = [
        dense(4, "tanh", name="a"),
        {"kind": "add", "inputs": ["input", "a"], "name": "b"},
        dense(4, "tanh", name="c"),
        {"kind": "add", "inputs": ["b", "c"], "name": "d"},
        {"kind": "multiply", "inputs": ["d", "a"], "name": "e"},
    ]
    answer = post(
        client,
        network={"layers": layers},
        parameters={"a": {"weight": W1}, "c": {"weight": W2}},
        batch={"inputs": X, "upstream": G},
        loss={"kind": "upstream"},
        convention="row",
        include=["output", "activations", "deltas", "gradients", "input_gradient"],
    )
    a = np.tanh(X @ W1)
    b = X + a
    c = np.tanh(b @ W2)
    d = b + c
    dd = G * a
    dc = dd * (1 - c**2)
    db = dd + dc @ W2.T
    da = G * d + db
    dza = da * (1 - a**2)
    close(answer["output"], d * a)
    for name, delta in (("e", G), ("d", dd), ("c", dc), ("b", db), ("a", dza)):
        close(answer["deltas"][name], delta)
    close(answer["gradients"]["c"]["weight"], b.T @ dc)
    close(answer["gradients"]["a"]["weight"], X.T @ dza)
    close(answer["input_gradient"], db + dza @ W1.T)

    def value(W: np.ndarray) -> float:
        first = np.tanh(X @ W)
        second = X + first
        return float(np.sum(G * (second + np.tanh(second @ W2)) * first))

    close(answer["gradients"]["a"]["weight"], numerical_gradient(value, W1), rtol=1e-6, atol=1e-8)
