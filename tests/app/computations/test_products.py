"""POST /v1/products: products with the Jacobian and the Hessian, against differences and against one another."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from app.computations.products.examples import PRODUCTS
from app.examples import XOR
from tests.systems.network import close, listed, post

RNG = np.random.default_rng(23)
H = 1e-5
V = {
    layer: {name: RNG.standard_normal(np.shape(value)) for name, value in named.items()}
    for layer, named in XOR["parameters"].items()
}
DX = RNG.standard_normal((4, 2))
SHAPE = {layer: {name: np.array(value) for name, value in named.items()} for layer, named in XOR["parameters"].items()}


def product(client: httpx.Client, kind: str, vector: Any, **more: Any) -> Any:
    return post(client, "/v1/products", **{**XOR, **more}, kind=kind, vector=vector)["product"]


def moved(client: httpx.Client, step: float) -> dict[str, Any]:
    parameters = {
        layer: {name: SHAPE[layer][name] + step * change for name, change in named.items()}
        for layer, named in V.items()
    }
    batch = {**XOR["batch"], "inputs": np.array(XOR["batch"]["inputs"]) + step * DX}
    return post(client, **{**XOR, "parameters": parameters, "batch": batch}, include=["output", "gradients"])


def inner(one: Any, other: Any) -> float:
    return float(sum(np.sum(np.multiply(one[layer][name], other[layer][name])) for layer in one for name in one[layer]))


def test_jvp_and_hvp_are_the_changes_along_a_direction(client: httpx.Client) -> None:
    ahead, behind = moved(client, H), moved(client, -H)
    direction = {"parameters": V, "inputs": DX}
    change = np.subtract(ahead["output"], behind["output"]) / (2 * H)
    close(product(client, "jvp", direction), change, rtol=1e-7, atol=1e-9)
    hessian = product(client, "hvp", direction)["parameters"]
    for layer in V:
        for name in V[layer]:
            change = np.subtract(ahead["gradients"][layer][name], behind["gradients"][layer][name]) / (2 * H)
            close(hessian[layer][name], change, rtol=1e-6, atol=1e-9)


def test_vjp_is_the_adjoint_of_jvp(client: httpx.Client) -> None:
    u = RNG.standard_normal((4, 1))
    pulled = product(client, "vjp", u)
    pushed = product(client, "jvp", {"parameters": V, "inputs": DX})
    close(np.sum(u * pushed), inner(pulled["parameters"], V) + np.sum(DX * pulled["inputs"]))


def test_the_hessian_is_symmetric(client: httpx.Client) -> None:
    other = {layer: {name: RNG.standard_normal(value.shape) for name, value in V[layer].items()} for layer in V}
    one, two = (product(client, "hvp", {"parameters": v})["parameters"] for v in (V, other))
    close(inner(one, other), inner(two, V), rtol=1e-10)


def test_gauss_newton_is_the_hessian_where_the_network_is_linear(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "dense", "units": 2, "activation": "softmax"}]},
        "parameters": {"1": {"weight": RNG.standard_normal((2, 2)), "bias": [0.1, -0.2]}},
        "batch": {"inputs": RNG.standard_normal((5, 2)), "targets": [0, 1, 1, 0, 1]},
        "loss": {"kind": "cross_entropy", "l2": 0.1},
    }
    vector = {"parameters": {"1": {"weight": RNG.standard_normal((2, 2)), "bias": [1.0, 2.0]}}}
    hessian, gauss_newton = (product(client, kind, vector, **problem) for kind in ("hvp", "gauss_newton"))
    for name in ("weight", "bias"):
        close(gauss_newton["parameters"]["1"][name], hessian["parameters"]["1"][name], rtol=1e-10)


@pytest.mark.parametrize("name", PRODUCTS)
def test_documented_examples_are_answered(client: httpx.Client, name: str) -> None:
    response = client.post("/v1/products", json=PRODUCTS[name]["value"])
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("kind", "vector", "pointer"),
    [
        ("vjp", [[1.0]], "#/vector"),
        ("vjp", {"inputs": [[1.0]]}, "#/vector"),
        ("jvp", [[1.0]], "#/vector"),
        ("jvp", {"inputs": [[1.0]]}, "#/vector/inputs"),
        ("hvp", {"parameters": {"1": {"weight": [[1.0]]}}}, "#/vector/parameters/1/weight"),
        ("hvp", {"parameters": {"1": {"wait": [[1.0]]}}}, "#/vector/parameters/1/wait"),
        ("hvp", {"parameters": {"in": {}}}, "#/vector/parameters/in"),
    ],
)
def test_a_vector_that_does_not_fit_is_refused(client: httpx.Client, kind: str, vector: Any, pointer: str) -> None:
    response = client.post("/v1/products", json=listed({**XOR, "kind": kind, "vector": vector}))
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["pointer"] == pointer
