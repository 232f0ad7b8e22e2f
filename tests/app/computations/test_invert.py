"""POST /v1/invert: how it is asked, beside the mathematics in tests/systems/test_s17_rossen.py."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from examples.server import running_server

pytestmark = pytest.mark.slow

DENSE: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 1, "activation": "tanh"}]},
    "parameters": {"1": {"weight": [[1], [2]], "bias": [0.5]}},
    "convention": "row",
}


def invert(client: httpx.Client, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/invert", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refused(client: httpx.Client, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/invert", json=body)
    assert response.status_code == 422, response.text
    error: dict[str, Any] = response.json()["errors"][0]
    return error


def test_a_problem_of_the_other_endpoints_is_taken_as_it_is(client: httpx.Client) -> None:
    problem = {**DENSE, "batch": {"inputs": [[1, 1]], "targets": [[0.3]]}, "loss": {"kind": "mean_squared_error"}}
    assert invert(client, **problem)["inputs"] == invert(client, **DENSE, targets=[[0.3]])["inputs"]


def test_drawn_parameters_come_back_and_the_width_follows_from_the_reference(client: httpx.Client) -> None:
    network = {"layers": [{"kind": "dense", "units": 2, "activation": "sigmoid"}]}
    asked = {"network": network, "seed": 3, "targets": [[0.5, 0.7]], "convention": "torch"}
    answer = invert(client, **asked, reference=[[1, 2, 3]])
    assert np.shape(answer["parameters"]["1"]["weight"]) == (2, 3)
    assert answer["feasible"]
    assert np.shape(invert(client, **asked, batch={"inputs": [[0, 0, 0, 0]]})["inputs"]) == (1, 4)
    assert refused(client, **asked)["code"] == "missing-parameters"


def test_the_bases_can_be_left_out(client: httpx.Client) -> None:
    assert np.shape(invert(client, **DENSE, targets=[[0.3]])["layers"]["1"]["null_space"]) == (1, 2)
    assert "null_space" not in invert(client, **DENSE, targets=[[0.3]], null_space=False)["layers"]["1"]


def test_a_tolerance_takes_rounded_outputs(client: httpx.Client) -> None:
    """Three outputs of one unit, rounded to four digits, are not quite on their line."""
    network = {"layers": [{"kind": "dense", "units": 3}]}
    asked = {
        "network": network,
        "parameters": {"1": {"weight": [[1, 0.3333, -0.5]], "bias": [0, 0, 0]}},
        "convention": "row",
    }
    rounded = {"targets": [[0.7, 0.2334, -0.35]]}
    assert not invert(client, **asked, **rounded)["feasible"]
    assert invert(client, **asked, **rounded, tolerance=1e-3)["feasible"]


def test_a_zero_weight_reaches_its_bias_alone(client: httpx.Client) -> None:
    asked = {**DENSE, "parameters": {"1": {"weight": [[0], [0]], "bias": [0.5]}}}
    reached = invert(client, **asked, targets=[[float(np.tanh(0.5))]])
    assert reached["feasible"]
    assert reached["inputs"] == [[0, 0]]
    assert reached["layers"]["1"]["rank"] == 0
    assert not invert(client, **asked, targets=[[0.1]])["feasible"]


def test_a_target_at_the_end_of_a_range_has_no_argument(client: httpx.Client) -> None:
    answer = invert(client, **DENSE, targets=[[1.0]])
    assert (answer["feasible"], answer["conclusive"]) == (False, True)
    assert answer["layers"]["1"]["why"] == "Example 0, unit 0: 1 is outside the range of tanh, -1 to 1."
    assert 1e-7 < answer["error"] < 1e-5


def test_an_argument_beyond_the_largest_number_is_refused(client: httpx.Client) -> None:
    network = {
        "layers": [{"kind": "dense", "units": 1, "activation": "exp"}, {"kind": "activation", "function": "log"}]
    }
    error = refused(client, **{**DENSE, "network": network}, targets=[[1000]])
    assert (error["code"], error["pointer"]) == ("non-finite", "#/network/layers/1")


@pytest.mark.parametrize("convention", ["row", "column", "torch"])
@pytest.mark.parametrize("targets", [[0.3], 0.3, [[[0.3]]], [[0.3], [0.1]]])
def test_any_shape_of_targets_has_an_answer_or_a_reason(client: httpx.Client, convention: str, targets: Any) -> None:
    body = {**DENSE, "convention": convention, "targets": targets}
    if convention != "row":
        body["parameters"] = {"1": {"weight": [[1, 2]], "bias": [0.5]}}
    response = client.post("/v1/invert", json=body)
    assert response.status_code in (200, 422)
    if response.status_code == 422:
        assert response.json()["errors"][0]["pointer"].startswith("#/targets")


def test_the_limits_of_the_server_hold() -> None:
    settings = {"GRADD_MAX_ANSWER_ELEMENTS": "50", "GRADD_MAX_ACTIVATIONS": "100"}
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        wide = {"network": {"layers": [{"kind": "dense", "units": 1, "bias": False}]}, "convention": "torch"}
        asked = {**wide, "parameters": {"1": {"weight": [[1.0] * 20]}}, "targets": [[1.0]]}
        response = client.post("/v1/invert", json=asked)
        assert response.status_code == 413
        assert response.json()["errors"][0]["pointer"] == "#/null_space"
        assert client.post("/v1/invert", json={**asked, "null_space": False}).status_code == 200
        many = client.post("/v1/invert", json={**asked, "targets": [[1.0]] * 6})
        assert many.status_code == 413
        assert "120 numbers" in many.json()["detail"]
