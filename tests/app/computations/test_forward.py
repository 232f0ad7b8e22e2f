"""POST /v1/forward: the same numbers as /v1/gradients, and no loss where none can be had."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import CLASSES, COLUMN, SKIP, XOR
from app.problem.schemas import FORWARD_PARTS

PARTS = list(FORWARD_PARTS)
BARE = {key: XOR[key] for key in ("network", "parameters", "convention")} | {
    "batch": {"inputs": XOR["batch"]["inputs"]}
}


def forward(client: httpx.Client, problem: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = client.post("/v1/forward", json={**problem, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("problem", [XOR, COLUMN, CLASSES, SKIP], ids=["xor", "column", "classes", "skip"])
def test_is_the_forward_half_of_gradients(client: httpx.Client, problem: dict[str, Any]) -> None:
    problem = {key: value for key, value in problem.items() if key != "verify"} | {"include": PARTS}
    answer = forward(client, problem)
    assert answer == client.post("/v1/gradients", json=problem).json()
    assert {"output", "preactivations", "activations"} <= set(answer)


def test_answers_with_loss_output_and_activations_by_default(client: httpx.Client) -> None:
    parts = ["loss", "loss_terms", "loss_formula", "output", "activations"]
    assert list(forward(client, XOR)) == [*parts, "convention", "dtype", "warnings"]


@pytest.mark.parametrize(
    "more",
    [{}, {"loss": XOR["loss"]}, {"batch": XOR["batch"]}, {"loss": {"kind": "upstream"}}],
    ids=["neither", "a loss without targets", "targets without a loss", "upstream"],
)
def test_needs_neither_a_loss_nor_targets(client: httpx.Client, more: dict[str, Any]) -> None:
    answer = forward(client, BARE, **more)
    assert not {"loss", "loss_terms"} & set(answer)
    assert answer["output"] == forward(client, XOR)["output"]


def test_the_loss_of_each_example(client: httpx.Client) -> None:
    answer = forward(client, XOR, include=["loss", "per_example_losses", "output"])
    a, y = np.array(answer["output"])[:, 0], np.array(XOR["batch"]["targets"])[:, 0]
    losses = -(y * np.log(a) + (1 - y) * np.log(1 - a))
    np.testing.assert_allclose(answer["per_example_losses"], losses, rtol=1e-14)
    np.testing.assert_allclose(answer["loss"], losses.mean(), rtol=1e-14)


def test_preactivations_come_before_the_activation(client: httpx.Client) -> None:
    answer = forward(client, XOR, include=["preactivations", "activations"], layers=["1"])
    Z = np.array(XOR["batch"]["inputs"]) @ XOR["parameters"]["1"]["weight"]
    np.testing.assert_allclose(answer["preactivations"]["1"], Z, rtol=1e-15)
    np.testing.assert_allclose(answer["activations"]["1"], np.tanh(Z), rtol=1e-14)
    assert list(answer["preactivations"]) == ["1"]


def test_parts_of_the_backward_pass_are_refused(client: httpx.Client) -> None:
    response = client.post("/v1/forward", json={**XOR, "include": ["gradients"]})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"], error["expected"]) == ("#/include/0", "unknown-name", PARTS)
