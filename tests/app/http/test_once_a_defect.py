"""Requests that were once answered 500."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

CONVOLUTION = {"kind": "conv2d", "filters": 6, "kernel_size": 5, "padding": []}
LAYERS: list[dict[str, Any]] = [
    CONVOLUTION,
    {**CONVOLUTION, "kernel_size": []},
    {"kind": "conv1d", "filters": 2, "kernel_size": 3, "stride": []},
    {"kind": "max_pool2d", "size": []},
]


def test_a_dataset_without_inputs(client: httpx.Client) -> None:
    answer = client.post("/v1/datasets", json={"inputs": {}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/inputs"


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_layer_with_an_empty_list(client: httpx.Client, layer: dict[str, Any]) -> None:
    parameters = {"1": {"weight": [[[[1.0] * 5] * 5]] * 6, "bias": [0.0] * 6}}
    stored = client.post("/v1/models", json={"network": {"layers": [layer]}, "parameters": parameters})
    batch = {"inputs": [[[[1.0] * 8] * 8]], "targets": [[[[1.0] * 4] * 4] * 6]}
    body = {"network": {"layers": [layer]}, "seed": 1, "batch": batch, "loss": {"kind": "half_squared_error"}}
    for answer in (stored, client.post("/v1/gradients", json=body)):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith(("#/network/layers/0", "#/parameters"))
