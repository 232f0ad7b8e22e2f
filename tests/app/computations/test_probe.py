"""POST /v1/probe, and the blind spots of a check."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from app.computations.check.examples import PROBE
from app.examples import XOR
from tests.systems.network import listed, post

ENTROPY = {"kind": "cross_entropy"}


def probed(client: httpx.Client, **body: Any) -> dict[str, Any]:
    return post(client, "/v1/probe", **body)


@pytest.mark.parametrize("convention", ["row", "column", "torch"])
def test_a_probe_is_a_problem_at_which_every_known_mistake_shows(client: httpx.Client, convention: str) -> None:
    body = {**PROBE["xor"]["value"], "convention": convention}
    answer = probed(client, **body)
    assert answer["blind_spots"] == []
    problem = {name: body[name] for name in ("network", "loss")} | {
        name: answer[name] for name in ("parameters", "batch", "convention")
    }
    report = post(client, "/v1/check", **problem)
    assert report["verdict"] == "correct"
    assert report["blind_spots"] == []
    assert report["kinks"] == []
    examples = np.shape(answer["batch"]["inputs"])[1 if convention == "column" else 0]
    assert examples in (5, 7, 11, 13)


def test_the_number_of_examples_is_none_of_the_widths(client: httpx.Client) -> None:
    network = {"layers": [{"kind": "dense", "units": 5, "activation": "tanh"}, {"kind": "dense", "units": 7}]}
    answer = probed(client, network=network, features=[11], loss={"kind": "half_squared_error"})
    assert np.shape(answer["batch"]["inputs"]) == (13, 11)


def test_the_number_of_examples_is_no_other_length_either(client: httpx.Client) -> None:
    """5 steps, 7 units, 11 filters, 13 = 13 x 1 positions."""
    layers = [
        {"kind": "conv1d", "filters": 11, "kernel_size": 1, "activation": "tanh"},
        {"kind": "lstm", "units": 7, "return_sequences": True},
        {"kind": "dense", "units": 3},
    ]
    answer = probed(client, network={"layers": layers}, features=[5, 13], loss={"kind": "half_squared_error"})
    assert np.shape(answer["batch"]["inputs"])[0] not in (3, 5, 7, 11, 13)


def test_a_probe_meets_both_sides_of_the_margin(client: httpx.Client) -> None:
    network = {"layers": [{"kind": "dense", "units": 4, "activation": "tanh"}, {"kind": "dense", "units": 2}]}
    answer = probed(client, network=network, features=[3], loss={"kind": "hinge"})
    batch, parameters = answer["batch"], answer["parameters"]
    hidden = np.tanh(np.array(batch["inputs"]) @ parameters["1"]["weight"] + parameters["1"]["bias"])
    margin = np.array(batch["targets"]) * (hidden @ parameters["2"]["weight"] + parameters["2"]["bias"])
    assert (margin > 1).any()
    assert (margin < 1).any()


def test_what_shows_nowhere_is_no_blind_spot(client: httpx.Client) -> None:
    """relu'(a) is relu'(z) and relu'(z)² is relu'(z), whatever the batch: such a program is right."""
    network = {"layers": [{"kind": "dense", "units": 4, "activation": "relu"}, {"kind": "dense", "units": 3}]}
    body = {"network": network, "loss": {"kind": "half_squared_error"}}
    answer = probed(client, **body, features=[2])
    assert answer["blind_spots"] == []
    problem = {**body, **{name: answer[name] for name in ("parameters", "batch", "convention")}}
    assert post(client, "/v1/check", **problem)["blind_spots"] == []


def test_two_outputs_are_no_blind_spot_but_two_examples_are(client: httpx.Client) -> None:
    """Another batch has another n, but never another K."""
    network = {"layers": [{"kind": "dense", "units": 2}]}
    answer = probed(client, network=network, loss={"kind": "half_squared_error"}, features=[3])
    assert answer["blind_spots"] == []


def test_a_large_vocabulary_is_probed_with_words_that_occur_again(client: httpx.Client) -> None:
    layers = [
        {"kind": "embedding", "vocabulary_size": 1000, "units": 3},
        {"kind": "flatten"},
        {"kind": "dense", "units": 3},
    ]
    answer = probed(client, network={"layers": layers}, loss={"kind": "half_squared_error"}, features=[4])
    assert answer["blind_spots"] == []
    words = [set(row) for row in answer["batch"]["inputs"]]
    assert any(len(row) < 4 for row in words)
    assert any(one & other for number, one in enumerate(words) for other in words[:number])


def test_any_network_can_be_probed(client: httpx.Client) -> None:
    layers = [
        {"kind": "embedding", "vocabulary_size": 4, "units": 3, "inputs": ["words"]},
        {"kind": "lstm", "units": 3},
        {"kind": "batch_norm", "name": "norm"},
        {"kind": "dense", "units": 3, "inputs": ["other"], "name": "beside"},
        {"kind": "add", "inputs": ["norm", "beside"]},
        {"kind": "dense", "units": 3, "activation": "softmax"},
    ]
    body = {"network": {"layers": layers}, "loss": ENTROPY}
    answer = probed(client, **body, features={"words": [2], "other": [2]})
    problem = {**body, **{name: answer[name] for name in ("parameters", "batch", "state", "convention")}}
    assert post(client, "/v1/check", **problem)["verdict"] == "correct"


def test_another_seed_is_another_point_and_the_same_seed_the_same(client: httpx.Client) -> None:
    body = PROBE["xor"]["value"]
    assert probed(client, **body) == probed(client, **body)
    assert probed(client, **body)["batch"] != probed(client, **body, seed=1)["batch"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"features": {"x": [2]}}, "#/network/layers/0"),
        ({"network": {"layers": [{"kind": "subtract"}]}}, "#/network/layers/0/inputs"),
        ({"features": []}, "#/network/layers/0"),
        ({"features": [2**31, 2**31]}, "#/features"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(client: httpx.Client, change: dict[str, Any], pointer: str) -> None:
    response = client.post("/v1/probe", json={**PROBE["xor"]["value"], **change})
    assert response.status_code in (413, 422), response.text
    assert response.json()["errors"][0]["pointer"] == pointer


def spots(client: httpx.Client, **change: Any) -> dict[str, set[str]]:
    """Causes that are hidden, by layer."""
    found: dict[str, set[str]] = {}
    for spot in post(client, "/v1/check", **listed({**XOR, **change}))["blind_spots"]:
        found.setdefault(spot.get("layer", ""), set()).add(spot["cause"])
    return found


def test_a_batch_of_one_hides_sum_and_mean(client: httpx.Client) -> None:
    hidden = spots(client, batch={"inputs": [[0.3, 0.7]], "targets": [[1]]})
    assert {"multiplied-by-batch-size", "divided-by-batch-size"} <= hidden["out"] & hidden["1"]
    assert {"first-example-only", "last-example-only"} <= hidden["out"] & hidden["1"]


def test_a_batch_of_one_hides_the_penalty_over_n(client: httpx.Client) -> None:
    loss = {**XOR["loss"], "l2": 0.1}
    assert (
        "penalty-divided-by-batch-size"
        in spots(client, batch={"inputs": [[0.3, 0.7]], "targets": [[1]]}, loss=loss)["1"]
    )
    assert "penalty-divided-by-batch-size" not in spots(client, loss=loss).get("1", set())


def test_two_examples_cannot_tell_the_mean_from_the_half(client: httpx.Client) -> None:
    report = post(client, "/v1/check", **{**XOR, "batch": {"inputs": [[0.3, 0.7], [1, 2]], "targets": [[1], [0]]}})
    (spot,) = [each for each in report["blind_spots"] if each["cause"] == "multiplied-by-two"]
    assert "multiplied-by-batch-size" in spot["reason"]


def test_a_symmetric_weight_hides_its_transposition(client: httpx.Client) -> None:
    network = {
        "layers": [{"kind": "dense", "units": 2, "activation": "tanh"}, {"kind": "dense", "units": 2, "name": "out"}]
    }
    parameters = {
        "1": {"weight": [[0.5, 0.1], [0.7, 0.2]], "bias": [0, 0]},
        "out": {"weight": [[0.3, 0.4], [0.4, 0.9]], "bias": [0.1, 0]},
    }
    batch = {"inputs": [[1, 2], [0.5, -1], [0.2, 0.3]], "targets": [[1, 0], [0, 1], [1, 1]]}
    hidden = spots(client, network=network, parameters=parameters, batch=batch, loss={"kind": "half_squared_error"})
    assert "weights-not-transposed" in hidden["1"]
    assert "bias-left-out" in hidden["1"]
    assert "bias-left-out" not in hidden.get("out", set())


def test_a_dead_layer_hides_everything(client: httpx.Client) -> None:
    parameters = {
        "1": {"weight": [[0.1, 0.4, 0.5], [0.2, 0.3, 0.2]], "bias": [-9, -9, -9]},
        "out": XOR["parameters"]["out"],
    }
    network = {
        "layers": [
            {"kind": "dense", "units": 3, "activation": "relu"},
            {"kind": "dense", "units": 1, "activation": "sigmoid", "name": "out"},
        ]
    }
    report = post(client, "/v1/check", **{**XOR, "network": network, "parameters": parameters})
    dead = [spot for spot in report["blind_spots"] if spot.get("layer") == "1" and spot["tensor"] == "deltas"]
    assert len(dead) > 5
    assert all("dead or saturated" in spot["reason"] for spot in dead)
