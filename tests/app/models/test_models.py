"""/v1/models over HTTP: one id for one content, in every convention, and models in the place of what a problem lacks."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import XOR
from examples.server import running_server
from tests.server import refused

pytestmark = pytest.mark.slow

MODEL = {key: XOR[key] for key in ("network", "parameters", "convention")}
BATCH = {key: XOR[key] for key in ("batch", "loss")}


def changed(bias: float, **more: Any) -> dict[str, Any]:
    """A model of its own."""
    model = copy.deepcopy(MODEL)
    model["parameters"]["out"]["bias"] = [bias]
    return {**model, **more}


def transposed(parameters: dict[str, Any]) -> dict[str, Any]:
    return {layer: {**named, "weight": np.transpose(named["weight"]).tolist()} for layer, named in parameters.items()}


def kept(client: httpx.Client, model: dict[str, Any]) -> str:
    response = client.post("/v1/models", json=model)
    assert response.status_code in (200, 201), response.text
    return str(response.json()["id"])


def test_the_same_content_again_is_the_same_model(client: httpx.Client) -> None:
    first = client.post("/v1/models", json=changed(0.5, name="a", metadata={"b": 1, "c": "d", "e": True}))
    assert first.status_code == 201
    assert first.headers["location"] == f"/v1/models/{first.json()['id']}"
    again = client.post("/v1/models", json=changed(0.5, name="b"))
    assert again.status_code == 200
    assert again.json() == first.json()
    assert first.json()["metadata"] == {"b": 1, "c": "d", "e": True}
    assert first.json()["parameter_count"] == 13
    assert client.post("/v1/models", json=changed(0.25)).json()["id"] != first.json()["id"]


@pytest.mark.parametrize("sent", ["row", "column", "torch"])
@pytest.mark.parametrize("asked", ["row", "column", "torch"])
def test_a_model_is_rendered_in_any_convention(client: httpx.Client, sent: str, asked: str) -> None:
    parameters = MODEL["parameters"] if sent == "row" else transposed(MODEL["parameters"])
    identity = kept(client, {**MODEL, "parameters": parameters, "convention": sent})
    assert identity == kept(client, MODEL)
    shown = client.get(f"/v1/models/{identity}", params={"convention": asked}).json()
    assert shown["convention"] == asked
    assert shown["parameters"] == (MODEL["parameters"] if asked == "row" else transposed(MODEL["parameters"]))
    assert shown["network"] == MODEL["network"]


@pytest.mark.parametrize("convention", ["row", "column", "torch", None])
def test_a_model_stands_for_network_and_parameters(client: httpx.Client, convention: str | None) -> None:
    batch = copy.deepcopy(BATCH)
    if convention == "column":
        batch["batch"] = {name: np.transpose(rows).tolist() for name, rows in XOR["batch"].items()}
    asked = {**batch, "model": kept(client, MODEL)} | ({"convention": convention} if convention else {})
    answer = client.post("/v1/gradients", json=asked).json()
    expected = client.post("/v1/gradients", json=XOR).json()
    turned = convention in ("column", "torch")
    assert answer["gradients"] == (transposed(expected["gradients"]) if turned else expected["gradients"])
    assert answer["loss"] == expected["loss"]


def test_inline_parts_win(client: httpx.Client) -> None:
    identity = kept(client, MODEL)
    other = {"out": {"bias": [1.5]}}
    whole = copy.deepcopy(XOR)
    whole["parameters"]["out"]["bias"] = [1.5]
    answer = client.post("/v1/gradients", json={**BATCH, "model": identity, "parameters": other}).json()
    expected = client.post("/v1/gradients", json=whole).json()
    assert answer["gradients"] == expected["gradients"]

    network = copy.deepcopy(MODEL["network"])
    network["layers"][1] |= {"activation": "tanh", "bias": False}
    asked = {**BATCH, "loss": {"kind": "half_squared_error"}, "model": identity, "network": network}
    whole = {
        **XOR,
        "loss": {"kind": "half_squared_error"},
        "network": network,
        "parameters": copy.deepcopy(XOR["parameters"]),
    }
    del whole["parameters"]["out"]["bias"]
    assert (
        client.post("/v1/gradients", json=asked).json()["loss"]
        == client.post("/v1/gradients", json=whole).json()["loss"]
    )


def test_every_computation_takes_a_model(client: httpx.Client) -> None:
    asked = {**BATCH, "model": kept(client, MODEL), "convention": "row"}
    vector = {"parameters": {"out": {"bias": [1]}}}
    paths: dict[str, dict[str, Any]] = {
        "/v1/forward": {},
        "/v1/jacobian": {"wrt": "1.weight"},
        "/v1/products": {"kind": "hvp", "vector": vector},
    }
    for path, more in paths.items():
        response = client.post(path, json={**asked, **more})
        assert response.status_code == 200, response.text
        assert response.json() == client.post(path, json={**XOR, **more}).json()


def test_what_the_model_lacks_is_refused_with_its_place(client: httpx.Client) -> None:
    identity = kept(client, {**MODEL, "parameters": {"1": MODEL["parameters"]["1"]}})
    problem = refused(client.post("/v1/gradients", json={**BATCH, "model": identity}), 422, "missing-parameters")
    assert {error.pointer for error in problem.errors} == {"#/parameters/out/weight", "#/parameters/out/bias"}
    assert client.post("/v1/gradients", json={**BATCH, "model": identity, "seed": 1}).status_code == 200
    problem = refused(client.post("/v1/gradients", json={**BATCH, "model": "mdl_no"}), 422, "unknown-name")
    assert problem.errors[0].pointer == "#/model"
    problem = refused(client.post("/v1/gradients", json=BATCH), 422, "invalid-request")
    assert (problem.errors[0].pointer, problem.errors[0].detail) == ("#/network", "'network' is required.")


def test_state_is_kept_and_used(client: httpx.Client) -> None:
    model = {
        "network": {"layers": [{"kind": "batch_norm", "mode": "eval", "epsilon": 0}]},
        "parameters": {"1": {"gamma": [1, 2], "beta": [0, 0]}},
        "state": {"1": {"running_mean": [1, 2], "running_variance": [4, 1]}},
    }
    identity = kept(client, model)
    assert client.get(f"/v1/models/{identity}").json()["state"] == model["state"]
    answer = client.post("/v1/forward", json={"model": identity, "batch": {"inputs": [[3, 4]]}}).json()
    assert answer["output"] == [[1, 4]]


def test_names_and_metadata_change_and_nothing_else(client: httpx.Client) -> None:
    address = f"/v1/models/{kept(client, changed(7, name='a', metadata={'b': 1}))}"
    assert client.patch(address, json={"name": "c"}).json()["name"] == "c"
    assert client.get(address).json()["metadata"] == {"b": 1}
    assert "name" not in client.patch(address, json={"name": None, "metadata": {"d": 2.5}}).json()
    assert client.get(address).json()["metadata"] == {"d": 2.5}
    assert client.patch(address, json={}).json()["metadata"] == {"d": 2.5}
    problem = refused(client.patch(address, json={"network": MODEL["network"]}), 422, "unknown-name")
    assert problem.errors[0].pointer == "#/network"


def test_a_deleted_model_is_gone_and_may_come_back(client: httpx.Client) -> None:
    model = changed(8)
    address = f"/v1/models/{kept(client, model)}"
    response = client.delete(address)
    assert (response.status_code, response.content) == (204, b"")
    for response in (client.get(address), client.delete(address), client.patch(address, json={"name": "a"})):
        refused(response, 404, "not-found")
    assert f"/v1/models/{kept(client, model)}" == address


def test_lists_go_on_where_they_stopped() -> None:
    with running_server() as server, httpx.Client(base_url=server) as client:
        assert client.get("/v1/models").json() == {"data": [], "has_more": False}
        made = [kept(client, changed(bias)) for bias in range(5)]
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            part = client.get("/v1/models", params={"limit": "2", **after}).json()
            seen += [model["id"] for model in part["data"]]
            if not part["has_more"]:
                break
            after = {"after": part["next"]}
        assert seen == made[::-1]
        assert "next" not in part
        assert all("parameters" not in model for model in part["data"])
        problem = refused(client.get("/v1/models", params={"after": "mdl_no"}), 422, "unknown-name")
        assert problem.errors[0].pointer == "#/query/after"
        for limit in ("0", "101", "a"):
            refused(client.get("/v1/models", params={"limit": limit}), 422, "invalid-request")


def test_models_outlive_the_server(tmp_path: Any) -> None:
    with running_server(GRADD_DATA_DIR=str(tmp_path)) as server, httpx.Client(base_url=server) as client:
        identity = kept(client, MODEL)
    with running_server(GRADD_DATA_DIR=str(tmp_path)) as server:
        shown = httpx.get(f"{server}/v1/models/{identity}").json()
    assert shown["parameters"] == MODEL["parameters"]


def test_many_who_post_the_same_model_at_once_get_one_id(client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(lambda _: client.post("/v1/models", json=changed(99)), range(16)))
    assert sorted(response.status_code for response in responses) == [200] * 15 + [201]
    assert len({response.json()["id"] for response in responses}) == 1


def test_precision_is_kept_or_chosen(client: httpx.Client) -> None:
    model = changed(0.1, dtype="float32")
    shown = client.get(f"/v1/models/{kept(client, model)}").json()
    assert shown["dtype"] == "float32"
    assert shown["parameters"]["out"]["bias"] == [0.1]
    assert kept(client, changed(0.1)) != shown["id"]
    problem = refused(client.post("/v1/models", json=changed(1e300, dtype="float32")), 422, "non-finite")
    assert problem.errors[0].pointer == "#/parameters/out/bias"


def test_weights_that_fit_either_way_are_warned_of(client: httpx.Client) -> None:
    square = {
        "network": {"layers": [{"kind": "dense", "units": 2, "bias": False}]},
        "parameters": {"1": {"weight": [[1, 2], [3, 4]]}},
    }
    assert client.post("/v1/models", json=square).json()["warnings"][0]["code"] == "ambiguous-convention"
    assert client.post("/v1/models", json={**square, "convention": "torch"}).json()["warnings"] == []


@pytest.mark.parametrize("metadata", [{"a": None}, {"a": {"b": 1}}, {"a": [1]}, {str(n): n for n in range(101)}])
def test_metadata_is_flat_and_small(client: httpx.Client, metadata: dict[str, Any]) -> None:
    refused(client.post("/v1/models", json=changed(0, metadata=metadata)), 422)


def test_a_model_that_is_too_large_for_an_answer_says_how_else(tmp_path: Any) -> None:
    with running_server(GRADD_MAX_ANSWER_ELEMENTS="12") as server, httpx.Client(base_url=server) as client:
        identity = kept(client, MODEL)
        problem = refused(client.get(f"/v1/models/{identity}"), 413, "too-large")
        assert "export?format=safetensors" in (problem.errors[0].hint or "")
        assert client.get(f"/v1/models/{identity}", params={"parameters": "false"}).status_code == 200


@pytest.mark.parametrize(
    ("layers", "pointer"),
    [
        ([{"kind": "dense", "units": 2, "name": "a", "inputs": ["a"]}], "#/network/layers/0/inputs/0"),
        ([{"kind": "dense", "units": 2, "inputs": ["1"]}], "#/network/layers/0/inputs/0"),
        (
            [{"kind": "dense", "units": 2, "name": "a"}, {"kind": "add", "name": "b", "inputs": ["a", "b"]}],
            "#/network/layers/1/inputs/1",
        ),
        (
            [{"kind": "dense", "units": 2, "inputs": ["b"]}, {"kind": "dense", "units": 2, "name": "b"}],
            "#/network/layers/0/inputs/0",
        ),
    ],
)
def test_a_layer_that_reads_itself_or_a_later_one_is_refused(
    client: httpx.Client, layers: list[dict[str, object]], pointer: str
) -> None:
    document = refused(client.post("/v1/models", json={"network": {"layers": layers}}), 422, "unknown-name")
    assert document.errors[0].pointer == pointer
    assert "earlier layers" in document.errors[0].detail
