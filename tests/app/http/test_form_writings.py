"""One form in all its writings: accepted shapes, named inputs, classes, lists, base64 and safetensors share what is known."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from app.wire.base64_tensor import KEYS
from app.wire.safetensors_message import KEY, MEDIA_TYPE
from tests.app.http.served import AS_JSON, Answer, Headers, Pair
from tests.core.sample import CONVENTIONS

pytestmark = pytest.mark.usefixtures("unhurried")

GRADIENTS = "/v1/gradients"
ONE_UNIT = {
    "layers": [{"kind": "dense", "units": 3, "activation": "tanh"}, {"kind": "dense", "units": 1, "name": "out"}]
}
CLASSES = {"layers": [{"kind": "dense", "units": 3}]}
NAMED = {
    "layers": [
        {"kind": "dense", "units": 3, "inputs": ["a"], "name": "A"},
        {"kind": "dense", "units": 3, "inputs": ["b"], "name": "B"},
        {"kind": "multiply", "inputs": ["A", "B"]},
    ]
}


def drawn(shapes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Random tensors of the shapes in a tree, as lists."""
    generator = np.random.default_rng(seed)
    return {
        name: drawn(shape, seed + 1 + place) if isinstance(shape, dict) else generator.standard_normal(shape).tolist()
        for place, (name, shape) in enumerate(shapes.items())
    }


def one_unit(start: int, bias: Any, weight: Any, last: Any, targets: Any, **more: Any) -> dict[str, Any]:
    """A body with parameters and targets in these shapes."""
    turned, column = more.get("convention", "row") != "row", more.get("convention") == "column"
    shapes = {
        "1": {"weight": (3, 2) if turned else (2, 3), "bias": bias},
        "out": {"weight": weight[::-1] if turned else weight, "bias": last},
    }
    shapes_of_batch = {"inputs": (2, 4) if column else (4, 2), "targets": targets[::-1] if column else targets}
    batch = drawn(shapes_of_batch, start + 100)
    return {"network": ONE_UNIT, "parameters": drawn(shapes, start), "batch": batch, "loss": {"kind": "huber"}, **more}


@pytest.mark.parametrize("bias", [(3,), (1, 3), (3, 1)])
@pytest.mark.parametrize("weight", [(3, 1), (3,)])
@pytest.mark.parametrize(("last", "targets"), [((1,), (4, 1)), ((1, 1), (4,)), ((), (4, 1))])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_accepted_shapes(pair: Pair, convention: str, bias: Any, weight: Any, last: Any, targets: Any) -> None:
    more: dict[str, Any] = {"convention": convention} | {
        "include": ["loss", "gradients", "input_gradient"],
        "verify": last == (1, 1),
    }
    answers = [pair.post(GRADIENTS, one_unit(seed, bias, weight, last, targets, **more)) for seed in (0, 10, 20, 0)]
    assert [answer.status for answer in answers] == [200] * 4
    assert answers[0] == answers[3]
    assert len({answer.body for answer in answers}) == 3
    for seed in (0, 10):  # With what the seed draws, and another one in the first one's place.
        body = one_unit(seed, bias, weight, last, targets, seed=3, convention=convention)
        del body["parameters"]["1"]
        assert pair.post(GRADIENTS, body).status == 200


@pytest.mark.parametrize("targets", [[0, 2, 1, 0], [[0], [2], [1], [0]], [[0, 2, 1, 0]], [0, 1, 1, 1], [[1, 0, 0]] * 4])
@pytest.mark.parametrize("convention", ["row", "column", "torch", None])
def test_classes(pair: Pair, targets: Any, convention: str | None) -> None:
    statuses = []
    for seed, wrong in ((0, 0), (1, 0), (1, 7), (2, 0.5), (3, 0)):
        tensors = drawn({"weight": (2, 3), "inputs": (4, 2)}, seed)
        if convention in ("column", "torch"):
            tensors["weight"] = np.transpose(tensors["weight"]).tolist()
        if convention == "column":
            tensors["inputs"] = np.transpose(tensors["inputs"]).tolist()
        body = {
            "network": CLASSES,
            "parameters": {"1": {"weight": tensors["weight"], "bias": [0, 1, 0]}},
            "batch": {"inputs": tensors["inputs"], "targets": (np.array(targets) + wrong).tolist()},
            "loss": {"kind": "softmax_cross_entropy"},
            "convention": convention,
        }
        statuses.append(pair.post(GRADIENTS, body).status)
    assert statuses[0] == statuses[1] == statuses[4]


def test_named_inputs(pair: Pair) -> None:
    for seed in (0, 1, 2, 0):
        for names in (("a", "b"), ("b", "a")):
            batch = {"inputs": drawn(dict.fromkeys(names, (4, 2)), seed), "targets": drawn({"y": (4, 3)}, seed)["y"]}
            parameters = drawn({name: {"weight": (2, 3), "bias": (3,)} for name in "AB"}, seed)
            body = {"network": NAMED, "parameters": parameters, "batch": batch, "loss": {"kind": "mean_absolute_error"}}
            assert pair.post(GRADIENTS, {**body, "include": ["input_gradient", "gradients"]}).status == 200


def encoded(value: Any, dtype: str) -> Any:
    """A document with its tensors in base64."""
    if isinstance(value, dict):
        return {name: encoded(below, dtype) for name, below in value.items()}
    array = np.array(value, dtype)
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def message(body: dict[str, Any], dtype: str) -> bytes:
    """A body as safetensors."""
    tensors = {f"batch.{name}": np.array(value, dtype) for name, value in body["batch"].items()}
    tensors |= {
        f"parameters.{layer}.{name}": np.array(value, dtype)
        for layer, named in body["parameters"].items()
        for name, value in named.items()
    }
    rest = {name: value for name, value in body.items() if name not in ("batch", "parameters")}
    return save(tensors, {KEY: json.dumps(rest)})


SAFETENSORS: Headers = ((b"content-type", MEDIA_TYPE.encode()),)
BOTH: Headers = (*SAFETENSORS, (b"accept", MEDIA_TYPE.encode()))
ANSWERED: Headers = (*AS_JSON, (b"accept", MEDIA_TYPE.encode()))


def writings(body: dict[str, Any], dtype: str) -> list[tuple[Any, Headers]]:
    """A body in all writings, with the headers that say so."""
    in_base64 = {**body, "batch": encoded(body["batch"], dtype), "parameters": encoded(body["parameters"], dtype)}
    text, file = json.dumps(body).encode(), message(body, dtype)
    return [(text, AS_JSON), (in_base64, AS_JSON), (file, SAFETENSORS), (file, BOTH), (text, ANSWERED), (text, AS_JSON)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_every_writing(pair: Pair, dtype: str, encoding: str) -> None:
    """Turn by turn with other numbers, so that each writing meets what another one has left."""
    found: dict[int, list[Answer]] = {}
    for seed in (0, 10, 20, 0):
        body = one_unit(seed, (3,), (3, 1), (1,), (4, 1), encoding=encoding)
        found[seed] = [pair.post(GRADIENTS, written, headers) for written, headers in writings(body, dtype)]
        assert {answer.status for answer in found[seed]} == {200}
        assert found[seed][0] == found[seed][-1]
        if dtype == "float64":
            assert found[seed][0] == found[seed][1] == found[seed][2]
            assert found[seed][3] == found[seed][4]
    assert len({answers[0].body for answers in found.values()}) == 3


def test_numbers_that_are_not_finite_in_base64_and_safetensors(pair: Pair) -> None:
    good = one_unit(0, (3,), (3, 1), (1,), (4, 1))
    for bad in (np.nan, np.inf, -np.inf):
        for place in ("inputs", "targets"):
            body = {**good, "batch": {**good["batch"], place: np.full(np.shape(good["batch"][place]), bad).tolist()}}
            for written, headers in writings(body, "float64")[1:4]:
                assert pair.post(GRADIENTS, written, headers).status == 422
                assert pair.post(GRADIENTS, good).status == 200


def test_a_layer_may_be_named_like_a_tensor_in_base64(pair: Pair) -> None:
    """An object with the names dtype, shape and data is a tensor where one may be, and named inputs elsewhere."""
    for names in (sorted(KEYS), ["dtype", "shape"]):
        for seed in range(3):
            inputs = drawn(dict.fromkeys(names, (4, 2)), seed)
            layers = [{"kind": "concatenate", "inputs": names}]
            body = {"network": {"layers": layers}, "batch": {"inputs": inputs}, "parameters": {}}
            pair.post("/v1/forward", body, thoroughly=True)
