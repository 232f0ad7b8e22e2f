"""The warnings about learning stand in every answer that trains or judges a network, not in that of /v1/gradients alone."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import post

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]]
RNG = np.random.default_rng(1)


def body(weight: Any, bias: Any, inputs: Any, activation: str = "tanh") -> dict[str, Any]:
    weight = np.asarray(weight, float)
    # Units that are equal stay so only where what follows treats them alike.
    out = weight[:1].T if np.ptp(weight) == 0 else RNG.standard_normal((weight.shape[1], 1))
    return {
        "network": {
            "layers": [
                {"kind": "dense", "units": weight.shape[1], "activation": activation},
                {"kind": "dense", "units": 1, "activation": "sigmoid"},
            ]
        },
        "parameters": {
            "1": {"weight": weight.tolist(), "bias": list(bias)},
            "2": {"weight": out.tolist(), "bias": [0]},
        },
        "batch": {"inputs": np.asarray(inputs).tolist(), "targets": [[k % 2] for k in range(len(inputs))]},
        "loss": {"kind": "binary_cross_entropy"},
        "convention": "row",
    }


CASES = {
    "zero-gradients": body(np.zeros((2, 3)), [0, 0, 0], XOR),
    "symmetric-units": body(np.full((2, 3), 0.5), [0, 0, 0], XOR),
    "dead-units": body(RNG.standard_normal((2, 3)), [0.1, -50, 0.2], RNG.standard_normal((9, 2)), "relu"),
    "saturated-units": body(RNG.standard_normal((2, 3)), [0.1, 8, 0.2], RNG.standard_normal((9, 2))),
}


@pytest.mark.parametrize("code", CASES)
def test_gradients_step_and_check_warn_alike(client: httpx.Client, code: str) -> None:
    found = post(client, "/v1/gradients", **CASES[code])["warnings"]
    assert code in [each["code"] for each in found]
    optimizer = {"kind": "sgd", "learning_rate": 0.5}
    for answer in (
        post(client, "/v1/step", **CASES[code], optimizer=optimizer),
        post(client, "/v1/check", **CASES[code]),
    ):
        assert [each for each in answer["warnings"] if each["code"] != "kink"] == [
            each for each in found if each["code"] != "kink"
        ]


def test_weights_of_zero_are_said_to_learn_nothing(client: httpx.Client) -> None:
    answer = post(
        client, "/v1/step", **CASES["zero-gradients"], optimizer={"kind": "sgd", "learning_rate": 0.5}, steps=50
    )
    (warning,) = [each for each in answer["warnings"] if each["code"] == "zero-gradients"]
    assert "Nothing can be learned" in warning["detail"]
    assert not np.any(answer["parameters"]["1"]["weight"])
    assert not np.any(answer["parameters"]["2"]["weight"])


def test_a_network_that_learns_and_one_that_is_finished_are_not_warned_of(client: httpx.Client) -> None:
    healthy = body(RNG.standard_normal((2, 3)), [0.1, 0.2, 0.3], RNG.standard_normal((9, 2)))
    optimizer = {"kind": "sgd", "learning_rate": 0.5}
    assert post(client, "/v1/step", **healthy, optimizer=optimizer)["warnings"] == []
    perfect = {
        "network": {"layers": [{"kind": "dense", "units": 1}]},
        "parameters": {"1": {"weight": [[2.0]], "bias": [0.0]}},
        "batch": {"inputs": [[1.0], [2.0]], "targets": [[2.0], [4.0]]},
        "loss": {"kind": "half_squared_error"},
        "convention": "row",
    }
    assert post(client, "/v1/step", **perfect, optimizer=optimizer)["warnings"] == []
