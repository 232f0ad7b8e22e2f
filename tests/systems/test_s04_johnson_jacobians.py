"""S4: Justin Johnson, Derivatives, Backpropagation, and Vectorization (2017): Jacobians, and why they are not formed."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from app.computations.jacobian.examples import JACOBIAN
from tests.systems.network import close, dense, listed, post

RNG = np.random.default_rng(4)
X, W = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2))


def jacobian(client: httpx.Client, wrt: str, convention: str = "row", of: str = "output") -> np.ndarray:
    answer = post(
        client,
        "/v1/jacobian",
        network={"layers": [dense(2, "tanh", name="y")]},
        parameters={"y": {"weight": W if convention == "row" else W.T}},
        batch={"inputs": X.T if convention == "column" else X},
        convention=convention,
        of=of,
        wrt=wrt,
    )
    found = np.array(answer["jacobian"])
    assert found.shape == (*answer["of_shape"], *answer["wrt_shape"])
    return found


def test_vec_of_a_product_by_both_factors(client: httpx.Client) -> None:
    slope = np.diag((1 - np.tanh(X @ W) ** 2).ravel())
    close(jacobian(client, "y.weight").reshape(8, 6), slope @ np.kron(X, np.eye(2)))
    close(jacobian(client, "input").reshape(8, 12), slope @ np.kron(np.eye(4), W.T))


@pytest.mark.parametrize("convention", ["column", "torch"])
def test_every_convention_writes_the_same_derivatives(client: httpx.Client, convention: str) -> None:
    by_weight, by_input = jacobian(client, "y.weight"), jacobian(client, "input")
    other_weight, other_input = (jacobian(client, wrt, convention, "y") for wrt in ("y.weight", "input"))
    turned = (1, 0) if convention == "column" else (0, 1)
    close(other_weight, by_weight.transpose(*turned, 3, 2))
    close(other_input, by_input.transpose(*turned, *((3, 2) if convention == "column" else (2, 3))))


def test_the_chain_rule_is_a_product_of_jacobians(client: httpx.Client) -> None:
    x, A, B = RNG.standard_normal((1, 3)), RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))
    layers = [dense(4, "sigmoid", name="y"), dense(2, "tanh", name="z")]
    problem = {"network": {"layers": layers}, "parameters": {"y": {"weight": A}, "z": {"weight": B}}}
    whole = post(client, "/v1/jacobian", **problem, batch={"inputs": x}, of="z", wrt="input", convention="row")
    lower = post(client, "/v1/jacobian", **problem, batch={"inputs": x}, of="y", wrt="input", convention="row")
    y = 1 / (1 + np.exp(-x @ A))
    upper = np.diag(1 - np.tanh(y @ B)[0] ** 2) @ B.T
    close(np.reshape(whole["jacobian"], (2, 3)), upper @ np.reshape(lower["jacobian"], (4, 3)))


def test_a_layer_above_has_no_influence(client: httpx.Client) -> None:
    layers = [dense(2, name="y"), dense(2, name="z")]
    parameters = {"y": {"weight": W}, "z": {"weight": np.eye(2)}}
    answer = post(
        client, "/v1/jacobian", network={"layers": layers}, parameters=parameters, batch={"inputs": X}, of="y",
        wrt="z.weight", convention="row",
    )  # fmt: skip
    assert not np.any(answer["jacobian"])


@pytest.mark.parametrize("name", JACOBIAN)
def test_documented_examples_are_answered(client: httpx.Client, name: str) -> None:
    assert client.post("/v1/jacobian", json=JACOBIAN[name]["value"]).status_code == 200


def test_one_that_is_too_large_is_refused_with_its_size(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [dense(4096)]},
        "seed": 1,
        "dtype": "float32",
        "batch": {"inputs": np.ones((64, 64))},
        "of": "output",
        "wrt": "1.weight",
    }
    response = client.post("/v1/jacobian", json=listed(problem))
    assert response.status_code == 413
    assert "256 GiB" in response.json()["detail"]


def test_unknown_names_are_refused(client: httpx.Client) -> None:
    problem = {"network": {"layers": [dense(2)]}, "seed": 1, "batch": {"inputs": [[1, 2]]}}
    for field, value in (("of", "3"), ("wrt", "1.weigth")):
        response = client.post("/v1/jacobian", json={**problem, field: value})
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == f"#/{field}"
