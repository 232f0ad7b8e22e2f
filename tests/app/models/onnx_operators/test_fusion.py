"""Layers that exporters write as several nodes come in as one layer, and nodes that only look like them do not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from core.layers.activation import ActivationLayer
from tests.app.models.onnx_operators.files import assert_same, file_of, imported, kinds

random = np.random.default_rng(23)
X = {"x": random.normal(size=(4, 6))}
SEQUENCE = {"x": random.normal(size=(3, 4, 6))}
GAMMA = 1 + random.normal(size=6) ** 2
NUMBERS = {
    "half": np.array(0.5),
    "one": np.array(1.0),
    "two": np.array(2.0),
    "root": np.array(math.sqrt(2)),
    "inverse": np.array(math.sqrt(0.5)),
    "epsilon": np.array(1e-5),
    "axis": np.array([-1]),
    "norm.weight": GAMMA,
}

GELUS: dict[str, list[Any]] = {
    "torch.onnx.export": [
        ("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"), ("Mul", "x c", "d"), ("Mul", "d half", "y"),
    ],
    "with dynamo": [
        ("Mul", "x inverse", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"), ("Mul", "half c", "d"), ("Mul", "x d", "y"),
    ],
    "half of x": [
        ("Mul", "half x", "h"), ("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "one b", "c"), ("Mul", "h c", "y"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", GELUS)
def test_a_gelu_is_recognised(name: str) -> None:
    content = file_of(GELUS[name], NUMBERS, X, opset=17)
    assert not assert_same(content, X, 1e-7).warnings  # No constant has become a parameter.
    assert kinds(content) == ["activation"]
    (layer,) = imported(content).layers
    assert isinstance(layer, ActivationLayer)
    assert layer.function == "gelu"


@pytest.mark.parametrize(
    "nodes",
    [
        [("Div", "x two", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"), ("Mul", "x c", "d"), ("Mul", "d half", "y")],
        [("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b two", "c"), ("Mul", "x c", "d"), ("Mul", "d half", "y")],
        [("Mul", "x two", "z"), ("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"), ("Mul", "z c", "d"),
         ("Mul", "d half", "y")],
        [("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"), ("Mul", "x c", "d"), ("Mul", "d half", "e"),
         ("Add", "d e", "y")],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_gelu_is_computed_as_it_is(nodes: list[Any]) -> None:
    content = file_of(nodes, NUMBERS, X, opset=17)
    assert len(assert_same(content, X, 1e-7).layers) > 1


RMS_NORMS: dict[str, list[Any]] = {
    "reciprocal": [
        ("Pow", "x two", "a"), ("ReduceMean", "a axis", "b", {"keepdims": 1}), ("Add", "b epsilon", "c"),
        ("Sqrt", "c", "d"), ("Reciprocal", "d", "e"), ("Mul", "x e", "f"), ("Mul", "f norm.weight", "y"),
    ],
    "the weight first": [
        ("Pow", "x two", "a"), ("ReduceMean", "a axis", "b", {"keepdims": 1}), ("Add", "epsilon b", "c"),
        ("Sqrt", "c", "d"), ("Reciprocal", "d", "e"), ("Mul", "e x", "f"), ("Mul", "norm.weight f", "y"),
    ],
    "a quotient": [
        ("Mul", "x x", "a"), ("ReduceMean", "a axis", "b", {"keepdims": 1}), ("Add", "b epsilon", "c"),
        ("Sqrt", "c", "d"), ("Div", "x d", "f"), ("Mul", "f norm.weight", "y"),
    ],
    "one divided": [
        ("Pow", "x two", "a"), ("ReduceMean", "a axis", "b", {"keepdims": 1}), ("Add", "b epsilon", "c"),
        ("Sqrt", "c", "d"), ("Div", "one d", "e"), ("Mul", "x e", "f"), ("Mul", "f norm.weight", "y"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("inputs", [X, SEQUENCE], ids=["vectors", "sequences"])
@pytest.mark.parametrize("name", RMS_NORMS)
def test_an_rms_norm_of_torch_is_recognised(name: str, inputs: dict[str, Any]) -> None:
    content = file_of(RMS_NORMS[name], NUMBERS, inputs, opset=18)
    network = assert_same(content, inputs, 1e-9)
    assert [(layer.kind, layer.name) for layer in network.layers] == [("rms_norm", "norm")]
    assert not network.warnings


@pytest.mark.parametrize("inputs", [X, SEQUENCE], ids=["vectors", "sequences"])
def test_the_operator_of_set_23(inputs: dict[str, Any]) -> None:
    node = ("RMSNormalization", "x norm.weight", "y", {"axis": -1, "epsilon": 1e-5})
    content = file_of([node], NUMBERS, inputs, opset=23)
    network = assert_same(content, inputs, 1e-6)
    assert [(layer.kind, layer.name) for layer in network.layers] == [("rms_norm", "norm")]
    assert not network.warnings
