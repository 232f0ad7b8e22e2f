"""POST /v1/check over HTTP."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import numpy as np
import pytest

from app.computations.check.examples import CHECK
from app.examples import CLASSES, SKIP, XOR
from tests.systems.network import post

ALL = ["loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient", "norms"]


def checked(client: httpx.Client, **body: Any) -> dict[str, Any]:
    return post(client, "/v1/check", **body)


@pytest.mark.parametrize("problem", [XOR, CLASSES, SKIP], ids=["xor", "classes", "skip"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("convention", ["row", "column", "torch"])
@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_the_answer_of_gradients_is_a_submission_and_correct(
    client: httpx.Client, problem: dict[str, Any], dtype: str, convention: str, encoding: str
) -> None:
    body = {**copy.deepcopy(problem), "dtype": dtype, "include": ALL, "encoding": encoding, "verify": True}
    if convention != "row":  # The other conventions with parameters that the server draws.
        body |= {"convention": convention, "parameters": None, "seed": 3}
        for name in ("inputs", "targets", "upstream"):
            value = np.array(body["batch"].get(name, 0))
            if convention == "column" and value.ndim == 2:
                body["batch"][name] = value.T.tolist()
    answer = post(client, **body)
    del body["include"], body["verify"]
    report = checked(client, **body, submission=answer)
    assert report["verdict"] == "correct", report["summary"]
    assert report["blame"] == []
    assert {row["status"] for row in report["tensors"]} == {"correct"}
    assert report["oracle"]["error"] < 1e-13
    assert report["oracle"]["method"] == "complex_step"


def test_the_readers_first_mistake(client: httpx.Client) -> None:
    """A bias gradient that was summed and not averaged, with six decimal places."""
    report = checked(client, **CHECK["bias"]["value"])
    assert report["verdict"] == "wrong"
    assert report["summary"] == (
        "Your bias gradient of layer 'out' is exactly 4 times too large (n = 4). Everything else is right."
    )
    (blame,) = report["blame"]
    assert (blame["layer"], blame["tensor"]) == ("out", "gradients.bias")
    assert blame["cause"] == "multiplied-by-batch-size"
    assert blame["certainty"] == "exact"
    assert blame["fix"]["numpy"] == "db_out = dZ_out.sum(axis=0)"
    assert blame["evidence"]["ratio"] == pytest.approx(4, rel=1e-4)
    (row,) = [row for row in report["tensors"] if row["status"] == "wrong"]
    assert row["relative_error"] == pytest.approx(0.6, rel=1e-4)
    assert row["worst"]["index"] == [0]


def test_without_a_submission_the_server_checks_its_own_backward_pass(client: httpx.Client) -> None:
    report = checked(client, **XOR)
    assert report["verdict"] == "correct"
    assert {row["status"] for row in report["tensors"]} == {"correct"}


def test_the_forward_pass_can_be_checked_without_a_loss(client: httpx.Client) -> None:
    problem = {**XOR, "loss": None, "batch": {"inputs": XOR["batch"]["inputs"]}}
    answer = post(client, "/v1/forward", **problem)
    report = checked(client, **problem, submission=answer)
    assert report["verdict"] == "correct"
    assert "oracle" not in report
    answer["activations"]["1"][1][1] += 0.5
    report = checked(client, **problem, submission={"activations": answer["activations"]})
    assert [(blame["layer"], blame["tensor"]) for blame in report["blame"]] == [("1", "activations")]
    (row,) = [row for row in report["tensors"] if row["status"] == "wrong"]
    assert row["worst"]["index"] == [1, 1]


@pytest.mark.parametrize("convention", ["row", "column"])
def test_indices_are_those_of_the_convention(client: httpx.Client, convention: str) -> None:
    problem: dict[str, Any] = copy.deepcopy(XOR)
    turn = np.transpose if convention == "column" else np.asarray
    problem["convention"] = convention
    for part, names in (("batch", ("inputs", "targets")),):
        for name in names:
            problem[part][name] = turn(problem[part][name]).tolist()
    for named in problem["parameters"].values():
        named["weight"] = turn(named["weight"]).tolist()
    deltas = post(client, **problem)["deltas"]
    index = (2, 1) if convention == "column" else (1, 2)
    deltas["1"][index[0]][index[1]] += 1
    report = checked(client, **problem, submission={"deltas": deltas})
    (row,) = [row for row in report["tensors"] if row["status"] == "wrong"]
    assert row["worst"]["index"] == list(index)


def test_hints_give_away_no_more_than_they_say(client: httpx.Client) -> None:
    body = CHECK["bias"]["value"]
    full = checked(client, **body)["blame"][0]
    seen = {hints: checked(client, **body, hints=hints) for hints in ("layer", "rule", "cause")}
    assert seen["layer"]["blame"] == [{"layer": "out"}]
    assert seen["layer"]["tensors"] == []
    assert seen["rule"]["blame"] == [{name: full[name] for name in ("layer", "tensor", "tensors", "rule")}]
    assert "fix" not in seen["cause"]["blame"][0]
    assert seen["cause"]["blame"][0]["cause"] == full["cause"]
    for report in seen.values():
        assert all("worst" not in row for row in report["tensors"])
    assert "4 times" not in seen["layer"]["summary"] + seen["rule"]["summary"]


@pytest.mark.parametrize(
    ("submission", "pointer"),
    [
        ({"deltas": {"2": [[1.0]]}}, "#/submission/deltas/2"),
        ({"gradients": {"out": {"wait": [1.0]}}}, "#/submission/gradients/out/wait"),
        ({"delta": {}}, "#/submission/delta"),
    ],
)
def test_names_that_do_not_exist_are_refused(client: httpx.Client, submission: Any, pointer: str) -> None:
    response = client.post("/v1/check", json={**XOR, "submission": submission})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_numbers_beside_the_submission_are_told_where_they_belong(client: httpx.Client) -> None:
    answer = client.post("/v1/check", json={**XOR, "gradients": {"out": {"bias": [0.1]}}})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/gradients", "unknown-name")
    assert error["hint"] == "Put 'gradients' into 'submission'."


ATTENTION: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "multi_head_attention", "heads": 2, "name": "att"},
            {"kind": "flatten"},
            {"kind": "dense", "units": 2},
        ]
    },
    "seed": 3,
    "batch": {
        "inputs": np.random.default_rng(0).standard_normal((3, 5, 4)).tolist(),
        "targets": [[0.5, 1], [0, 2], [1, 1]],
    },
    "loss": {"kind": "half_squared_error"},
    "convention": "row",
}


def test_the_block_of_a_layer_that_is_wrong_is_named(client: httpx.Client) -> None:
    gradients = client.post("/v1/gradients", json={**ATTENTION, "include": ["loss", "deltas", "gradients"]}).json()
    submission = {name: gradients[name] for name in ("loss", "deltas", "gradients")}
    weight = np.array(submission["gradients"]["att"]["in_weight"])
    weight[:, 4:8] = np.sin(3 * weight[:, 4:8]) + 0.1  # The keys, by a formula that is nobody's.
    submission["gradients"]["att"]["in_weight"] = weight.tolist()
    report = checked(client, **ATTENTION, submission=submission)
    (blame,) = report["blame"]
    assert (blame["layer"], blame["tensor"], blame["cause"]) == ("att", "gradients.in_weight", "unknown")
    assert "keys" in blame["block"]
    assert "keys" in report["summary"]
    assert blame["tensors"] == ["gradients.in_weight"]
    assert report["partial"] is False


def test_a_tensor_of_another_shape_is_said_first(client: httpx.Client) -> None:
    gradients = client.post("/v1/gradients", json=XOR).json()["gradients"]
    name = next(iter(gradients))
    gradients[name]["bias"] = 0.25
    report = checked(client, **XOR, submission={"gradients": gradients})
    assert report["summary"].startswith(
        f"Your bias gradient of layer {name!r} is a single number; its shape should be ["
    )
    assert "has that shape" in report["summary"]
