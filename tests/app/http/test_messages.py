"""Messages as safetensors say the same as messages as JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from app.examples import XOR
from app.wire.safetensors_message import MEDIA_TYPE
from core.arrays import Array
from tests.server import examples, refused

BINARY = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
MATH = {name: example for name, example in examples().items() if "batch" in example[1]}


def message(body: dict[str, Any]) -> bytes:
    """A body with its numeric lists as tensors. The names of layers hold no dots in what tests send."""
    tensors: dict[str, Array] = {}

    def rest(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        left = {}
        for name, item in value.items():
            below = f"{path}.{name}" if path else name
            if isinstance(item, list) and path.split(".")[0] in ("batch", "parameters", "vector", "submission"):
                tensors[below] = np.asarray(item, np.float64)
            else:
                left[name] = rest(item, below)
        return left

    metadata = {"gradd": json.dumps(rest(body, ""))}
    return safetensors.numpy.save(tensors, metadata)


def opened(content: bytes) -> dict[str, Any]:
    """The answer that a message holds."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    answer: dict[str, Any] = json.loads(header["__metadata__"]["gradd"])
    for path, array in safetensors.numpy.load(content).items():
        *above, last = path.split(".")
        place = answer
        for key in above:
            place = place.setdefault(key, {})
        place[last] = array.tolist()
    return answer


@pytest.mark.parametrize("name", MATH)
def test_every_documented_computation_is_the_same_as_a_message(client: httpx.Client, name: str) -> None:
    path, body = MATH[name]
    response = client.post(path, content=message(body), headers=BINARY)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    assert opened(response.content) == client.post(path, json=body).json()


def test_format_of_request_and_answer_are_chosen_apart(client: httpx.Client) -> None:
    expected = client.post("/v1/gradients", json=XOR).json()
    there = client.post("/v1/gradients", content=message(XOR), headers={"Content-Type": MEDIA_TYPE})
    assert there.json() == expected
    back = client.post("/v1/gradients", json=XOR, headers={"Accept": f"application/json;q=0.5, {MEDIA_TYPE}"})
    assert opened(back.content) == expected
    plain = client.post("/v1/gradients", json=XOR, headers={"Accept": f"application/json, {MEDIA_TYPE};q=0.5"})
    assert plain.json() == expected


def test_names_of_layers_may_hold_dots(client: httpx.Client) -> None:
    body = {
        "network": {"layers": [{"kind": "dense", "units": 2, "name": "block.0.a", "bias": False}]},
        "batch": {},
        "include": ["output"],
        "convention": "row",
    }
    tensors: dict[str, Array] = {
        "parameters.block.0.a.weight": np.eye(2, dtype=np.float32),
        "batch.inputs": np.ones((1, 2)),
    }
    content = safetensors.numpy.save(tensors, {"gradd": json.dumps(body)})
    response = client.post("/v1/forward", content=content, headers={"Content-Type": MEDIA_TYPE})
    assert response.json()["output"] == [[1, 1]]


def test_problems_point_into_the_request(client: httpx.Client) -> None:
    broken = copy.deepcopy(XOR)
    broken["parameters"]["1"]["weight"] = [[1.0]]
    problem = refused(client.post("/v1/gradients", content=message(broken), headers=BINARY), 422, "shape-mismatch")
    assert problem.errors[0].pointer == "#/parameters/1/weight"
    broken["parameters"]["1"]["weight"] = [[np.nan]]
    problem = refused(client.post("/v1/gradients", content=message(broken), headers=BINARY), 422, "non-finite")
    assert problem.errors[0].pointer == "#/parameters/1/weight/0/0"


@pytest.mark.parametrize(
    ("tensors", "metadata", "pointer"),
    [
        ({"batch.inputz": np.ones(1)}, {"gradd": json.dumps(XOR)}, "#/batch/inputz"),
        ({"batch.inputs": np.ones((1, 2))}, {"gradd": json.dumps(XOR)}, "#/batch/inputs"),
        ({"": np.ones(1)}, {"gradd": json.dumps(XOR)}, "#/"),
        ({"parameters": np.ones(1)}, {}, "#/parameters"),
        ({"loss.kind": np.ones(1)}, {}, "#/loss"),
        ({}, {"other": "{}"}, "#/__metadata__"),
        ({}, {"gradd": "[]"}, "#"),
    ],
)
def test_tensors_and_metadata_in_the_wrong_place(
    client: httpx.Client, tensors: dict[str, Any], metadata: dict[str, str], pointer: str
) -> None:
    content = safetensors.numpy.save(tensors, metadata)
    problem = refused(client.post("/v1/gradients", content=content, headers=BINARY), 422)
    assert any(error.pointer.startswith(pointer) for error in problem.errors), problem.errors


def test_what_is_no_file_is_refused(client: httpx.Client) -> None:
    refused(client.post("/v1/gradients", content=b"{}", headers=BINARY), 422, "invalid-request")
    refused(client.post("/v1/gradients", content=json.dumps(XOR), headers=BINARY), 422, "invalid-request")


def test_a_model_is_a_message_too(client: httpx.Client) -> None:
    body = {key: XOR[key] for key in ("network", "parameters", "convention")}
    made = client.post("/v1/models", content=message(body), headers={"Content-Type": MEDIA_TYPE}).json()
    assert made["id"] == client.post("/v1/models", json=body).json()["id"]
    shown = client.get(f"/v1/models/{made['id']}", headers={"Accept": MEDIA_TYPE})
    assert opened(shown.content)["parameters"] == body["parameters"]
