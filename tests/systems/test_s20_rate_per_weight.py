"""S20, S1: W ← W − α_W ∘ ∂E/∂W with a learning rate for every weight; S29: frozen parameters, XOR to convergence."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import XOR
from tests.systems.network import close, post


@pytest.mark.parametrize("convention", ["row", "column", "torch"])
def test_a_rate_for_every_weight(client: httpx.Client, convention: str) -> None:
    rng = np.random.default_rng(20)
    X, Y, W, b, rates = (rng.random(shape) for shape in ((4, 3), (4, 2), (3, 2), (2,), (3, 2)))
    problem: dict[str, Any] = {
        "network": {"layers": [{"kind": "dense", "units": 2, "activation": "tanh"}]},
        "parameters": {"1": {"weight": W if convention == "row" else W.T, "bias": b}},
        "batch": {"inputs": X.T if convention == "column" else X, "targets": Y.T if convention == "column" else Y},
        "loss": {"kind": "half_squared_error", "reduction": "sum"},
        "convention": convention,
    }
    gradient = post(client, **problem)["gradients"]["1"]
    turned = rates if convention == "row" else rates.T
    answer = post(client, "/v1/step", **problem, optimizer={"kind": "sgd", "learning_rate": {"1": {"weight": turned}}})
    close(
        answer["parameters"]["1"]["weight"],
        np.array(problem["parameters"]["1"]["weight"]) - turned * gradient["weight"],
    )
    close(answer["parameters"]["1"]["bias"], b - 0.001 * np.array(gradient["bias"]))  # The default where none is given.


def test_what_is_frozen_stays(client: httpx.Client) -> None:
    answer = post(client, "/v1/step", **XOR, optimizer={"kind": "adamw", "learning_rate": 0.1}, steps=5,
                  freeze=["1.bias", "out.weight"])  # fmt: skip
    assert answer["parameters"]["1"]["bias"] == XOR["parameters"]["1"]["bias"]
    assert answer["parameters"]["out"]["weight"] == XOR["parameters"]["out"]["weight"]
    assert answer["parameters"]["1"]["weight"] != XOR["parameters"]["1"]["weight"]
    assert "bias" not in answer["optimizer_state"]["slots"]["first_moment"]["1"]


def test_xor_is_learnt_in_one_request(client: httpx.Client) -> None:
    answer = post(client, "/v1/step", **XOR, optimizer={"kind": "adam", "learning_rate": 0.1}, steps=600)
    assert answer["loss"] < 0.01 < 0.6 < answer["losses"][0]
    output = post(client, "/v1/forward", **XOR | {"parameters": answer["parameters"]})["output"]
    np.testing.assert_array_equal(np.round(output), XOR["batch"]["targets"])


def test_running_statistics_move_on_with_every_step(client: httpx.Client) -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((5, 2)) + 4
    problem: dict[str, Any] = {
        "network": {"layers": [{"kind": "batch_norm", "momentum": 0.5}, {"kind": "dense", "units": 1}]},
        "seed": 0,
        "batch": {"inputs": X, "targets": np.ones((5, 1))},
        "loss": {"kind": "half_squared_error"},
    }
    mean = np.zeros(2)
    for _ in range(3):
        mean = 0.5 * mean + 0.5 * X.mean(0)
    optimizer = {"kind": "sgd", "learning_rate": 0.1}
    close(post(client, "/v1/step", **problem, optimizer=optimizer, steps=3)["state"]["1"]["running_mean"], mean)
    minibatches = post(client, "/v1/step", **problem, optimizer=optimizer, steps=2, batch_size=3, shuffle=False)
    close(minibatches["state"]["1"]["running_mean"], 0.25 * X[:3].mean(0) + 0.5 * X[3:].mean(0))


def test_feedback_alignment_trains(client: httpx.Client) -> None:
    answer = post(
        client, "/v1/step", **XOR, optimizer={"kind": "adam", "learning_rate": 0.1}, steps=1500,
        feedback={"kind": "random", "seed": 1},
    )  # fmt: skip
    assert answer["loss"] < 0.05
