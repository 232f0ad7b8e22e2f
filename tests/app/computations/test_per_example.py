"""per_example_gradients and norms over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import XOR

PARTS = ["gradients", "per_example_gradients", "norms"]


def answered(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/gradients", json={**XOR, "include": PARTS, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("loss", [{"l2": 0.0}, {"reduction": "sum"}, {"l2": 0.5}])
def test_their_weighted_sum_and_l2_are_the_gradient(client: httpx.Client, loss: dict[str, Any]) -> None:
    """∂L/∂θ = Σ c_i ∂ℓ_i/∂θ + λ W, with c_i the example's weight, divided by the sum of all under `mean`."""
    weights = np.array([1.0, 2.0, 0.5, 0.5])
    batch = {**XOR["batch"], "sample_weight": weights.tolist()}
    answer = answered(client, batch=batch, loss={"kind": "binary_cross_entropy", **loss})
    shares = weights if loss.get("reduction") == "sum" else weights / weights.sum()
    for layer, named in answer["gradients"].items():
        for name, gradient in named.items():
            apart = np.array(answer["per_example_gradients"][layer][name])
            decay = loss.get("l2", 0.0) * np.array(XOR["parameters"][layer][name]) * (name == "weight")
            np.testing.assert_allclose(np.tensordot(shares, apart, 1) + decay, gradient, rtol=1e-13, atol=1e-15)


def test_norms_are_those_of_what_is_answered(client: httpx.Client) -> None:
    answer = answered(client)
    norms, gradients, apart = answer["norms"], answer["gradients"], answer["per_example_gradients"]
    for layer, named in gradients.items():
        for name, gradient in named.items():
            assert norms["gradients"][layer][name] == pytest.approx(np.linalg.norm(gradient), rel=1e-14)
            assert norms["parameters"][layer][name] == pytest.approx(
                np.linalg.norm(XOR["parameters"][layer][name]), rel=1e-14
            )
    flat = [np.ravel(array) for named in gradients.values() for array in named.values()]
    assert norms["total"] == pytest.approx(np.linalg.norm(np.concatenate(flat)), rel=1e-14)
    rows = [np.reshape(array, (4, -1)) for named in apart.values() for array in named.values()]
    np.testing.assert_allclose(norms["per_example"], np.linalg.norm(np.hstack(rows), axis=1), rtol=1e-13)


def test_coupled_examples_have_none_of_their_own(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "batch_norm"}, {"kind": "dense", "units": 1}]},
        "parameters": None,
        "seed": 1,
        "loss": {"kind": "half_squared_error"},
    }
    refused = client.post("/v1/gradients", json={**XOR, **problem, "include": PARTS}).json()
    assert refused["type"] == "/problems/unsupported-operator", refused
    assert refused["errors"][0]["pointer"] == "#/include/1"
    assert "Layer '1' (batch_norm) couples the examples" in refused["errors"][0]["detail"]
    assert "per_example" not in answered(client, **problem, include=["norms"])["norms"]


def test_their_size_is_refused_before_they_are_computed(client: httpx.Client) -> None:
    n = 3000
    problem = {
        **XOR,
        "network": {"layers": [{"kind": "dense", "units": 2000}]},
        "parameters": None,
        "seed": 1,
        "batch": {"inputs": np.zeros((n, 2)).tolist(), "upstream": np.zeros((n, 2000)).tolist()},
        "loss": {"kind": "upstream"},
        "include": ["per_example_gradients"],
    }
    refused = client.post("/v1/gradients", json=problem)
    assert refused.json()["type"] == "/problems/too-large", refused.text[:500]
    assert refused.json()["errors"][0]["got"] == n * (2 * 2000 + 2000) + (2 * 2000 + 2000)
