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
        ("Round", "x", "a"),
        ("Round", "x", "b"),
        ("Hardmax", "x", "c"),
        ("Softmax", "x", "d", {"axis": 0}),
        ("Sum", "a b c d", "y"),
    ]
    content = model_of(nodes_of(written), {}, {"x": ["n", 3]})
    response = client.post("/v1/models/import", content=content, params={"format": "onnx"})
    problem = refused(response, 422, "unsupported-operator")
    assert [error.pointer for error in problem.errors] == ["#/graph/node/0", "#/graph/node/2", "#/graph/node/3"]
    assert problem.errors[0].detail.startswith("Round ('a', 'b'): its derivative is 0 wherever it has one")
    assert problem.errors[0].got == ["a", "b"]
    assert problem.errors[2].detail == "Softmax ('d'): it runs over the examples."


UNSUITED: dict[str, tuple[list[Any], str]] = {
    "excluded padding": (
        [("AveragePool", "x", "y", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]})],
        "its count_include_pad is 0; only 1 is supported",
    ),
    "softmax over the batch": ([("Softmax", "x", "y", {"axis": 0})], "it runs over the examples"),
    "examples among others": (
        [("Flatten", "x", "y", {"axis": 2})],
        "the first of its axes does not count the examples",
    ),
    "another number for each example": ([("Add", "x w", "y")], "another number for each example"),
    "more axes": ([("Mul", "x v", "y")], "changes the shape of the tensor that it is combined with"),
    "left constant": ([("MatMul", "w x", "y")], "one of its operands is a constant"),
    "padded channels": ([("Pad", "x p", "y")], "it adds examples or channels"),
    "weights used twice": (
        [("Conv", "x w", "a"), ("Relu", "a", "b"), ("Conv", "x w", "c"), ("Sum", "b c", "y")],
        "Conv ('c'): its weight 'w' is shared with Conv ('a'), and two layers share no parameter here",
    ),
    "integers": ([("Cast", "x", "y", {"to": TensorProto.INT64})], "only 1 or 10 or 11 or 16 is supported"),
}
CONSTANTS = {"w": normal(2, 2, 2, 2), "v": normal(1, 1, 1, 1, 1), "p": np.array([0, 0, 0, 0, 0, 1, 0, 0])}


@pytest.mark.parametrize("name", UNSUITED)
def test_nodes_that_no_layer_stands_for_are_refused_with_the_reason(client: httpx.Client, name: str) -> None:
    written, words = UNSUITED[name]
    content = model_of(nodes_of(written), CONSTANTS, {"x": [2, 2, 2, 2]})
    response = client.post("/v1/models/import", content=content, params={"format": "onnx"})
    problem = refused(response, 422, "unsupported-operator")
    assert words in problem.errors[0].detail


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
