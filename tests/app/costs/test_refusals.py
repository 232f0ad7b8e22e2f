"""A request that costs more than the server allows is refused before it is computed, with its own figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.computations.gradients.cost import gradients_cost
from app.computations.gradients.schemas import GradientsRequest
from app.computations.gradients.service import compute_gradients
from app.examples import XOR
from app.http.forms import FormCache
from app.http.operation import Operation, Server, Wanted
from app.settings import Settings
from app.wire.encode import encode
from core.cost import Cost
from core.layers import KINDS
from examples.server import running_server
from tests.server import refused

WIDE: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 10}, {"kind": "dense", "units": 2000, "name": "wide"}]},
    "seed": 1,
    "batch": {"inputs": [[1.0, 2.0]], "targets": [[0.0] * 2000]},
    "loss": {"kind": "half_squared_error"},
    "include": ["loss"],
}


@pytest.fixture(scope="module")
def small() -> Iterator[httpx.Client]:
    settings = {"GRADD_MAX_OPERATIONS": "5e7", "GRADD_MAX_MEMORY_BYTES": "3000000"}
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_the_description_of_the_server_has_the_limits_and_the_formulas(small: httpx.Client) -> None:
    about = small.get("/v1").json()
    assert about["limits"]["operations"] == 5e7
    assert about["limits"]["memory_bytes"] == 3_000_000
    assert about["costs"]["layers"].keys() == KINDS.keys()
    assert all(about["costs"]["layers"].values())
    assert about["costs"]["operations_per_second"] > 1e9


def test_a_small_request_is_answered(small: httpx.Client) -> None:
    assert small.post("/v1/gradients", json=XOR).status_code == 200
    assert small.post("/v1/gradients", json=XOR).status_code == 200


def test_operations_beyond_the_limit_are_refused_with_the_figure_and_the_layer(small: httpx.Client) -> None:
    response = small.post("/v1/gradients", json=WIDE)
    refused(response, 413, "too-large")
    error = response.json()["errors"][0]
    assert error["pointer"] == "#/network/layers/1"
    assert "'wide' (dense)" in error["detail"]
    assert error["expected"] == 5e7
    assert error["got"] > 5e7
    assert "GRADD_MAX_OPERATIONS" in error["hint"]


def test_the_number_of_steps_counts(small: httpx.Client) -> None:
    step = {**XOR, "optimizer": {"kind": "sgd", "learning_rate": 0.1}}
    assert small.post("/v1/step", json=step).status_code == 200
    refused(small.post("/v1/step", json={**step, "steps": 1_000_000}), 413, "too-large")


def test_memory_beyond_the_limit_is_refused(client: httpx.Client) -> None:
    """Less than 10 million parameters are within every other limit; their certificate takes more than a gigabyte."""
    layers = [{"kind": "dense", "units": 3140}, {"kind": "dense", "units": 3140, "bias": False}]
    batch = {"inputs": [[1.0, 2.0]], "upstream": [[0.0] * 3140]}
    problem = {"network": {"layers": layers}, "seed": 1, "batch": batch, "loss": {"kind": "upstream"}}
    response = client.post("/v1/gradients", json={**problem, "include": [], "verify": True})
    refused(response, 413, "too-large")
    error = response.json()["errors"][0]
    assert error["pointer"] == "#/network/layers/1"
    assert error["expected"] == 2**30
    assert "GRADD_MAX_MEMORY_BYTES" in error["hint"]


@pytest.mark.parametrize("path", ["forward", "gradients", "jacobian", "explain", "check", "step", "products", "invert"])
def test_every_computation_of_a_problem_has_a_cost(small: httpx.Client, path: str) -> None:
    layers = [{"kind": "dense", "units": 1000}, {"kind": "dense", "units": 300}]
    body = {
        **WIDE,
        "network": {"layers": layers},
        "batch": {"inputs": [[1.0] * 400], "targets": [[0.0] * 300]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "kind": "jvp",
        "vector": {"parameters": {}},
    }
    taken = {
        "products": {"optimizer"},
        "forward": {"optimizer", "kind", "vector"},
        "gradients": {"optimizer", "kind", "vector"},
        "jacobian": {"optimizer", "kind", "vector"},
        "check": {"optimizer", "kind", "vector"},
        "invert": {"optimizer", "kind", "vector"},
        "explain": {"kind", "vector"},
        "step": {"kind", "vector"},
    }[path]
    refused(small.post(f"/v1/{path}", json={k: v for k, v in body.items() if k not in taken}), 413, "too-large")


def test_a_probe_has_a_cost(small: httpx.Client) -> None:
    network = {"layers": [{"kind": "dense", "units": 1000}, {"kind": "dense", "units": 1000}]}
    body = {"network": network, "features": [50], "loss": {"kind": "half_squared_error"}}
    refused(small.post("/v1/probe", json=body), 413, "too-large")


def test_another_error_of_the_request_is_still_found(small: httpx.Client) -> None:
    layers = [{"kind": "dense", "units": 2000}, {"kind": "conv2d", "filters": 3, "kernel_size": 3}]
    refused(small.post("/v1/gradients", json={**WIDE, "network": {"layers": layers}}), 422, "shape-mismatch")


def test_the_cost_of_a_form_is_estimated_once() -> None:
    estimates = []

    def estimate(body: GradientsRequest, settings: Settings) -> Cost:
        estimates.append(gradients_cost(body, settings))
        return estimates[-1]

    operation = Operation(GradientsRequest, compute_gradients, cost=estimate, shares_forms=True)
    server = Server(Settings(), FormCache(2**20))
    body = encode(XOR)
    for _ in range(3):
        reading = operation.read(body, "json")
        key = operation.key(reading)
        assert key is not None
        response = operation.answer(reading, server.forms.find(key), Wanted("json", None), server, lambda: None)
        assert response.status_code == 200
    assert len(estimates) == 1
    assert estimates[0].operations > 0
    assert estimates[0].bytes > 0
