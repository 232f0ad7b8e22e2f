"""ONNX files that are not read: operators without a layer, and files that are not what they seem."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from tests.app.models.onnx_files.sample import CNN, model_of, nodes_of, normal
from tests.server import refused

pytestmark = pytest.mark.slow


def test_every_operator_that_is_not_read_is_named_at_once(client: httpx.Client) -> None:
    written = [
        ("Erf", "x", "a"),
        ("Erf", "a", "b"),
        ("Gather", "b i", "c"),
        ("Add", "c v", "d"),
        ("Softmax", "d", "y", {"axis": 0}),
    ]
    content = model_of(nodes_of(written), {"i": np.array([0, 1]), "v": normal(2, 3)}, {"x": [2, 3]})
    response = client.post("/v1/models/import", content=content, params={"format": "onnx"})
    problem = refused(response, 422, "unsupported-operator")
    assert [error.pointer for error in problem.errors] == ["#/graph/node/0", "#/graph/node/2"]
    assert problem.errors[0].detail.startswith("Erf ('a', 'b'): there is no layer")
    assert problem.errors[0].got == ["a", "b"]


UNSUITED: dict[str, list[Any]] = {
    "asymmetric pads": [("Conv", "x w", "y", {"pads": [0, 0, 1, 1]})],
    "ceil": [("MaxPool", "x", "y", {"kernel_shape": [2, 2], "ceil_mode": 1})],
    "excluded padding": [("AveragePool", "x", "y", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]})],
    "softmax over the batch": [("Softmax", "x", "y", {"axis": 0})],
    "tanh gelu": [("Gelu", "x", "y", {"approximate": "tanh"})],
    "flatten elsewhere": [("Flatten", "x", "y", {"axis": 2})],
    "constant that is added": [("Add", "x w", "y")],
    "constant that multiplies": [("Mul", "x w", "y")],
    "left constant": [("MatMul", "w x", "y")],
    "integers": [("Cast", "x", "y", {"to": TensorProto.INT64})],
}


@pytest.mark.parametrize("name", UNSUITED)
def test_attributes_that_no_layer_has_are_refused_with_the_reason(client: httpx.Client, name: str) -> None:
    content = model_of(nodes_of(UNSUITED[name]), {"w": normal(2, 2, 2, 2)}, {"x": [None] * 4})
    response = client.post("/v1/models/import", content=content, params={"format": "onnx"})
    refused(response, 422, "unsupported-operator")


def external() -> bytes:
    model = onnx.load_from_string(CNN)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    return bytes(model.SerializeToString())


def changed(change: Any) -> bytes:
    model = onnx.load_from_string(CNN)
    change(model.graph)
    return bytes(model.SerializeToString())


def huge(graph: Any) -> None:
    graph.initializer[0].dims[:] = [2**31, 2**31]


def negative(graph: Any) -> None:
    graph.initializer[0].dims[:] = [-4, -9]


def infinite(graph: Any) -> None:
    graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((4, 1, 3, 3), np.inf), "conv.weight"))


def deep(graph: Any) -> None:
    graph.initializer[0].dims[:] = [1] * 60 + [36]


def two_outputs(graph: Any) -> None:
    graph.output.add(name="f")


def no_nodes(graph: Any) -> None:
    del graph.node[:]


def hostile_names(graph: Any) -> None:
    graph.node[0].op_type = "../../" + "x" * 10**6


HOSTILE = {
    "external data": (external(), "stored in another file"),
    "huge shape": (changed(huge), "but 36 numbers"),
    "negative shape": (changed(negative), "but 36 numbers"),
    "rank 61": (changed(deep), "but 36 numbers"),
    "infinite": (changed(infinite), "is inf"),
    "two outputs": (changed(two_outputs), "2 outputs"),
    "no nodes": (changed(no_nodes), "no nodes"),
    "hostile names": (changed(hostile_names), "no layer for this operator"),
    "cut off": (CNN[: len(CNN) // 2], ""),
    "nonsense": (b"\xff" * 1000, "cannot be parsed"),
    "empty": (b"", "no nodes"),
    "deep nesting": (b"\x3a\x80\x80\x80\x80\x01" * 1000, ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(client: httpx.Client, name: str) -> None:
    content, words = HOSTILE[name]
    response = client.post("/v1/models/import", content=content, params={"format": "onnx"})
    problem = refused(response, 422)
    assert words in problem.errors[0].detail


@pytest.mark.parametrize("seed", range(4))
def test_changed_files_are_read_or_refused(client: httpx.Client, seed: int) -> None:
    generator = np.random.default_rng(seed)
    body = bytearray(CNN)
    for position in generator.integers(0, len(body), 5):
        body[position] = generator.integers(0, 256)
    response = client.post("/v1/models/import", content=bytes(body), params={"format": "onnx"})
    assert response.status_code in (200, 201, 422), response.text
