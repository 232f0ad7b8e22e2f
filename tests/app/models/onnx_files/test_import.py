"""ONNX files come in: onnx's own evaluator gives what the service gives."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest
from onnx import helper

from core.arrays import Array
from tests.app.models.onnx_files.sample import (
    CNN_CONSTANTS,
    CNN_NODES,
    OF_FLOAT32,
    assert_reads_as_evaluated,
    evaluated,
    model_of,
    nodes_of,
    normal,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("beta", [1.0, -2.0, 0.0])
@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("c", [(), (1,), (4,), (1, 4), None])
def test_gemm_with_all_its_attributes(
    client: httpx.Client, alpha: float, beta: float, trans_a: int, trans_b: int, c: tuple[int, ...] | None
) -> None:
    constants = {"fc.weight": normal(4, 3) if trans_b else normal(3, 4)} | ({} if c is None else {"c": normal(*c)})
    reads = ["x", *constants]
    node = helper.make_node("Gemm", reads, ["y"], alpha=alpha, beta=beta, transA=trans_a, transB=trans_b)
    X = normal(3, 5) if trans_a else normal(5, 3)
    model = assert_reads_as_evaluated(client, model_of([node], constants, {"x": ["a", "b"]}), x=X)
    assert model["network"]["layers"][-1]["name"] == "fc"


def test_a_convolutional_network_comes_in_with_its_gradients(client: httpx.Client) -> None:
    content = model_of(CNN_NODES, CNN_CONSTANTS, {"x": ["n", 1, 8, 8]})
    X = normal(5, 1, 8, 8)
    model = assert_reads_as_evaluated(client, content, OF_FLOAT32, x=X)
    assert [layer["kind"] for layer in model["network"]["layers"]] == [
        "conv2d",
        "batch_norm",
        "max_pool2d",
        "flatten",
        "dense",
    ]
    assert [layer.get("activation") for layer in model["network"]["layers"]] == [None, "relu", None, None, "softmax"]
    asked = {
        "model": model["id"],
        "batch": {"inputs": X.tolist(), "targets": [0, 1, 2, 0, 1]},
        "loss": {"kind": "cross_entropy"},
        "convention": "torch",
        "include": ["loss", "gradients"],
        "verify": True,
    }
    answer = client.post("/v1/gradients", json=asked).json()

    def loss(constants: dict[str, Array]) -> float:
        found = evaluated(model_of(CNN_NODES, constants, {"x": ["n", 1, 8, 8]}), x=X)
        return float(-np.log(found[range(5), [0, 1, 2, 0, 1]]).mean())

    assert answer["loss"] == pytest.approx(loss(CNN_CONSTANTS), rel=OF_FLOAT32)
    for name in ("conv.weight", "bn.weight", "fc.weight", "fc.bias"):
        layer, _, parameter = name.partition(".")
        ours = np.array(answer["gradients"][layer]["gamma" if layer == "bn" else parameter])
        direction = normal(*ours.shape)
        ends = [loss({**CNN_CONSTANTS, name: CNN_CONSTANTS[name] + step * direction}) for step in (1e-6, -1e-6)]
        assert (ours * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-9)


X23 = normal(2, 3)
SMALL: dict[str, tuple[list[Any], dict[str, Array], dict[str, Array]]] = {
    "matmul add": ([("MatMul", "x w", "a"), ("Add", "b a", "y")], {"w": normal(3, 2), "b": normal(2)}, {"x": X23}),
    "matmul of tensors": ([("MatMul", "x z", "y")], {}, {"x": normal(2, 3, 4), "z": normal(2, 4, 3)}),
    "residual": ([("MatMul", "x w", "a"), ("Relu", "a", "b"), ("Add", "b x", "y")], {"w": normal(3, 3)}, {"x": X23}),
    "read twice": ([("MatMul", "x w", "a"), ("Tanh", "a", "b"), ("Mul", "a b", "y")], {"w": normal(3, 3)}, {"x": X23}),
    "silu": ([("Sigmoid", "x", "a"), ("Mul", "x a", "y")], {}, {"x": X23}),
    "square": ([("Mul", "x x", "y")], {}, {"x": X23}),
    "power": ([("Pow", "x two", "y")], {"two": np.array(2.0)}, {"x": X23}),
    "scaled": (
        [("Mul", "half x", "a"), ("Div", "a half", "b"), ("Neg", "b", "y")],
        {"half": np.array(0.5)},
        {"x": X23},
    ),
    "two inputs": ([("Sub", "x z", "a"), ("Sum", "a x z", "y")], {}, {"x": X23, "z": X23 * 2}),
    "concat": ([("Concat", "x z", "y", {"axis": 1})], {}, {"x": X23, "z": normal(2, 2)}),
    "transpose": ([("Transpose", "x", "y", {"perm": [0, 2, 1]})], {}, {"x": normal(2, 3, 4)}),
    "global average": ([("GlobalAveragePool", "x", "a"), ("Flatten", "a", "y")], {}, {"x": normal(2, 3, 4, 4)}),
    "global average as is": ([("GlobalAveragePool", "x", "y")], {}, {"x": normal(2, 3, 4, 4)}),
    "squeezed": (
        [("GlobalAveragePool", "x", "a"), ("Squeeze", "a s", "y")],
        {"s": np.array([2, 3])},
        {"x": normal(2, 3, 4, 4)},
    ),
    "average": (
        [("AveragePool", "x", "y", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1})],
        {},
        {"x": normal(2, 1, 4, 4)},
    ),
    "mean": ([("ReduceMean", "x a", "y", {"keepdims": 0})], {"a": np.array([2, 3])}, {"x": normal(2, 3, 4, 4)}),
    "reshape": ([("Reshape", "x s", "y")], {"s": np.array([-1, 2, 3])}, {"x": normal(4, 6)}),
    "passed": ([("Identity", "x", "a"), ("Relu", "a", "b"), ("Dropout", "b", "c"), ("Tanh", "c", "y")], {}, {"x": X23}),
    "layer norm": ([("LayerNormalization", "x g b", "y")], {"g": normal(3), "b": normal(3)}, {"x": X23}),
    "conv1d grouped": (
        [("Conv", "x w", "y", {"group": 2, "dilations": [2], "pads": [1, 1]})],
        {"w": normal(4, 1, 3)},
        {"x": normal(2, 2, 9)},
    ),
    "asymmetric pads": (
        [("Conv", "x w", "y", {"pads": [0, 1, 2, 1]})],
        {"w": normal(4, 2, 3, 3)},
        {"x": normal(2, 2, 5, 5)},
    ),
    "same": ([("Conv", "x w", "y", {"auto_pad": "SAME_UPPER"})], {"w": normal(4, 2, 3, 3)}, {"x": normal(2, 2, 5, 5)}),
    "dead nodes": ([("Round", "x", "unused"), ("Tanh", "x", "y")], {}, {"x": X23}),
    **{
        name: ([(name, "x", "y", attributes)], {}, {"x": np.abs(X23) + 0.1})
        for name, attributes in {
            "Relu": {},
            "Sigmoid": {},
            "Tanh": {},
            "LeakyRelu": {"alpha": 0.25},
            "Elu": {"alpha": 0.5},
            "Selu": {},
            "Gelu": {},
            "Softplus": {},
            "Softsign": {},
            "Exp": {},
            "Log": {},
            "Sin": {},
            "Neg": {},
            "Softmax": {},
            "LogSoftmax": {"axis": -1},
        }.items()
    },
}


@pytest.mark.parametrize("name", SMALL)
def test_operators_compute_what_they_say(client: httpx.Client, name: str) -> None:
    written, constants, inputs = SMALL[name]
    content = model_of(nodes_of(written), constants, {name: [None] * array.ndim for name, array in inputs.items()})
    tolerance = OF_FLOAT32 if name in ("Selu", "Gelu", "layer norm") else 1e-11
    assert_reads_as_evaluated(client, content, tolerance, **inputs)


OF_KNOWN_SHAPES: dict[str, tuple[list[Any], dict[str, Array], dict[str, Array]]] = {
    "constants of all axes but the first": (
        [("Add", "x w", "a"), ("Mul", "v a", "y")],
        {"w": normal(3, 2, 2), "v": normal(1, 3, 1, 2)},
        {"x": normal(2, 3, 2, 2)},
    ),
    "examples and channels joined for a while": (
        [("Flatten", "x", "a", {"axis": 2}), ("Relu", "a", "b"), ("Reshape", "b s", "y")],
        {"s": np.array([-1, 3, 4])},
        {"x": normal(2, 3, 4)},
    ),
    "one number for each example": ([("Squeeze", "x i", "y")], {"i": np.array([1])}, {"x": normal(4, 1)}),
    "one of the steps": ([("Gather", "x i", "y", {"axis": 1})], {"i": np.array(-1)}, {"x": normal(2, 3, 4)}),
}


@pytest.mark.parametrize("name", OF_KNOWN_SHAPES)
def test_axes_of_known_lengths_are_arranged(client: httpx.Client, name: str) -> None:
    written, constants, inputs = OF_KNOWN_SHAPES[name]
    content = model_of(nodes_of(written), constants, {name: ["n", *array.shape[1:]] for name, array in inputs.items()})
    assert_reads_as_evaluated(client, content, 1e-11, **inputs)
