"""S6: Raul Rojas, Neural Networks, ch. 7. Row inputs, extended weight matrices, a sigmoid of slope c."""

from __future__ import annotations

import httpx
import numpy as np

from tests.systems.network import close, dense, post, sigmoid


def test_extended_weight_matrices_and_the_slope_of_the_sigmoid(client: httpx.Client) -> None:
    rng = np.random.default_rng(6)
    c = 1.7
    W1_extended, W2_extended = rng.standard_normal((3 + 1, 4)), rng.standard_normal((4 + 1, 2))
    o, t = rng.standard_normal((1, 3)), rng.random((1, 2))
    slope = {"function": "sigmoid", "gain": c}
    answer = post(
        client,
        network={"layers": [dense(4, slope, bias=True), dense(2, slope, bias=True)]},  # type: ignore[arg-type]
        parameters={
            "1": {"weight": W1_extended[:-1], "bias": W1_extended[-1]},
            "2": {"weight": W2_extended[:-1], "bias": W2_extended[-1]},
        },
        batch={"inputs": o, "targets": t},
        loss={"kind": "half_squared_error", "reduction": "sum"},
        convention="row",
        include=["output", "deltas", "gradients"],
        verify=True,
    )
    o_hat = np.append(o, 1.0)
    o1 = sigmoid(c * (o_hat @ W1_extended))
    o1_hat = np.append(o1, 1.0)
    o2 = sigmoid(c * (o1_hat @ W2_extended))
    D1, D2 = np.diag(c * o1 * (1 - o1)), np.diag(c * o2 * (1 - o2))
    e = (o2 - t)[0]
    delta2 = D2 @ e
    delta1 = D1 @ W2_extended[:-1] @ delta2
    close(answer["output"], [o2])
    close(answer["deltas"]["2"], [delta2])
    close(answer["deltas"]["1"], [delta1])
    for layer, delta, below in (("1", delta1, o_hat), ("2", delta2, o1_hat)):
        extended = np.vstack([answer["gradients"][layer]["weight"], [answer["gradients"][layer]["bias"]]])
        close(extended, np.outer(below, delta))
    assert answer["certificate"]["relative_error"] < 1e-14
