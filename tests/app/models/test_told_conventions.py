"""Chains told from their shapes in both orientations, and integers that are no weights."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors.numpy

from core.arrays import Array
from tests.server import refused

random = np.random.default_rng(2)


def body(tensors: dict[str, Any], form: str) -> bytes:
    if form == "safetensors":
        return safetensors.numpy.save(tensors)
    file = io.BytesIO()
    np.savez(file, **tensors)
    return file.getvalue()


def send(client: httpx.Client, tensors: dict[str, Any], form: str = "npz", **query: str) -> httpx.Response:
    return client.post("/v1/models/import", content=body(tensors, form), params={"format": form, **query})


def chain(*widths: int, row: bool) -> dict[str, Array]:
    found = {}
    for number, (reads, gives) in enumerate(pairwise(widths)):
        weight = random.normal(size=(reads, gives))
        found[f"{number}.weight"] = weight if row else weight.T.copy()
        found[f"{number}.bias"] = random.normal(size=gives)
    return found


@pytest.mark.parametrize("form", ["npz", "safetensors"])
def test_a_chain_in_row_convention(client: httpx.Client, form: str) -> None:
    tensors = chain(4, 8, 3, row=True)
    model = send(client, tensors, form, convention="row", activation="relu").json()
    assert model["warnings"] == []
    X = random.normal(size=(5, 4))
    problem = {"model": model["id"], "batch": {"inputs": X.tolist()}, "convention": "row"}
    found = client.post("/v1/forward", json=problem).json()["output"]
    hidden = np.maximum(X @ tensors["0.weight"] + tensors["0.bias"], 0)
    np.testing.assert_allclose(found, hidden @ tensors["1.weight"] + tensors["1.bias"], rtol=1e-12)
    error = refused(send(client, tensors, form), 422, "shape-mismatch").errors[0]
    assert "?convention=row" in (error.hint or "")


def test_square_weights_are_warned_of(client: httpx.Client) -> None:
    tensors = chain(3, 3, 3, row=False)
    network = '{"layers": [{"kind": "dense", "units": 3, "name": "0"}, {"kind": "dense", "units": 3, "name": "1"}]}'
    for query in ({"activation": "relu"}, {"network": network}):
        codes = [warning["code"] for warning in send(client, tensors, **query).json()["warnings"]]
        assert codes == ["ambiguous-convention"]
        for convention in ("torch", "row", "column"):
            assert send(client, tensors, **query, convention=convention).json()["warnings"] == []


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "bool"])
@pytest.mark.parametrize("form", ["npz", "safetensors"])
def test_quantised_weights_are_refused_by_name(client: httpx.Client, form: str, dtype: str) -> None:
    tensors: dict[str, Any] = {"0.weight": np.ones((2, 3), dtype), "0.bias": np.zeros(2)}
    error = refused(send(client, tensors, form), 422, "invalid-request").errors[0]
    assert error.pointer == "#/0.weight"
    assert "quantised" in error.detail


def test_integers_of_64_bits_are_numbers(client: httpx.Client) -> None:
    tensors = {"0.weight": np.ones((2, 3), np.int64), "0.bias": np.zeros(2), "0.num_batches_tracked": np.array(3, "i4")}
    assert send(client, tensors).status_code in (200, 201)
