"""Constants of a file that become parameters: a warning names them, and `freeze` leaves them alone."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.app.models.onnx_files.sample import evaluated, model_of, nodes_of, normal, output_of
from tests.app.models.test_transfers import imported

pytestmark = pytest.mark.slow

X = np.linspace(-2, 2, 12).reshape(4, 3)
NORMALISED = model_of(
    nodes_of([("Sub", "x mean", "a"), ("Div", "a deviation", "b"), ("Gemm", "b fc.weight fc.bias", "y")]),
    {"mean": normal(3), "deviation": 1 + normal(3) ** 2, "fc.weight": normal(3, 2), "fc.bias": normal(2)},
    {"x": ["n", 3]},
)


def test_a_normalisation_at_the_input_is_left_alone(client: httpx.Client) -> None:
    model = imported(client, NORMALISED, "onnx")
    np.testing.assert_allclose(output_of(client, model["id"], X), evaluated(NORMALISED, x=X), atol=1e-12)
    (warning,) = model["warnings"]
    assert warning["code"] == "constant-imported-as-parameter"
    begin, _, end = warning["hint"].partition(": [")
    assert begin == 'To leave them alone, send "freeze"'
    frozen = json.loads("[" + end.removesuffix("."))
    step: dict[str, Any] = {
        "model": model["id"],
        "batch": {"inputs": X.tolist(), "targets": [[1.0, 0.0]] * 4},
        "loss": {"kind": "mean_squared_error"},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "convention": "row",
        "freeze": frozen,
    }
    before = client.get(f"/v1/models/{model['id']}").json()["parameters"]
    response = client.post("/v1/step", json=step)
    assert response.status_code == 200, response.text
    after = response.json()["parameters"]
    assert {name.rpartition(".")[0] for name in frozen} == before.keys() - {"fc"}
    for name, tensors in before.items():
        assert all(np.array_equal(after[name][each], tensors[each]) == (name != "fc") for each in tensors)


def test_constants_that_are_named_as_parameters_are_parameters(client: httpx.Client) -> None:
    content = model_of(
        nodes_of([("Mul", "x norm.gamma", "a"), ("Add", "a norm.beta", "y")]),
        {"norm.gamma": normal(3), "norm.beta": normal(3)},
        {"x": ["n", 3]},
    )
    model = imported(client, content, "onnx")
    assert not model["warnings"]
