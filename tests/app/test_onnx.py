"""ONNX in and out: onnxruntime and onnx's own evaluator give what the service gives."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from core.arrays import Array
from tests.app.test_transfers import exported, imported
from tests.server import refused

random = np.random.default_rng(8)
F64, F32 = np.float64, np.float32


def model_of(
    nodes: list[Any], constants: dict[str, Array], inputs: dict[str, Any], dtype: type = F64, **more: Any
) -> bytes:
    """A file: its last node makes the output `y`."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("y", kind, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", more.get("opset", 20))], ir_version=10)
    return bytes(model.SerializeToString())


def normal(*shape: int, dtype: type = F64) -> Array:
    return random.normal(size=shape).astype(dtype)


def output_of(client: httpx.Client, identity: str, inputs: Any, dtype: str = "float64") -> Array:
    batch = {name: array.tolist() for name, array in inputs.items()} if isinstance(inputs, dict) else inputs.tolist()
    asked = {"model": identity, "batch": {"inputs": batch}, "convention": "row", "dtype": dtype, "include": ["output"]}
    response = client.post("/v1/forward", json=asked)
    assert response.status_code == 200, response.text
    return np.array(response.json()["output"])


def evaluated(content: bytes, **inputs: Array) -> Array:
    """What onnx's own evaluator gives."""
    (found,) = ReferenceEvaluator(onnx.load_from_string(content)).run(None, inputs)
    return np.asarray(found)


def assert_reads_as_evaluated(
    client: httpx.Client, content: bytes, tolerance: float = 1e-11, **inputs: Array
) -> dict[str, Any]:
    """The imported model gives what onnx's own evaluator gives."""
    model = imported(client, content, "onnx")
    expected = evaluated(content, **inputs)
    sent = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    np.testing.assert_allclose(output_of(client, model["id"], sent), expected, rtol=tolerance, atol=tolerance)
    return model


OF_FLOAT32 = 1e-7
"""Attributes are float32 in a file, and constants of functions in the evaluator; the service takes 1e-5 for 1e-5."""


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


CNN_CONSTANTS = {
    "conv.weight": normal(4, 1, 3, 3), "conv.bias": normal(4), "bn.weight": normal(4), "bn.bias": normal(4),
    "bn.running_mean": normal(4), "bn.running_var": random.uniform(0.5, 2, 4), "fc.weight": normal(3, 16), "fc.bias": normal(3),
    "shape": np.array([0, -1]),
}  # fmt: skip
CNN_NODES = [
    helper.make_node(
        "Conv", ["x", "conv.weight", "conv.bias"], ["a"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    helper.make_node("BatchNormalization", ["a", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["b"]),
    helper.make_node("Relu", ["b"], ["c"]),
    helper.make_node("MaxPool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
    helper.make_node("Reshape", ["d", "shape"], ["e"]),
    helper.make_node("Gemm", ["e", "fc.weight", "fc.bias"], ["f"], transB=1),
    helper.make_node("Softmax", ["f"], ["y"], axis=1),
]


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
    "scaled": ([("Mul", "half x", "a"), ("Div", "a half", "b"), ("Neg", "b", "y")], {"half": np.array(0.5)}, {"x": X23}),
    "two inputs": ([("Sub", "x z", "a"), ("Sum", "a x z", "y")], {}, {"x": X23, "z": X23 * 2}),
    "concat": ([("Concat", "x z", "y", {"axis": 1})], {}, {"x": X23, "z": normal(2, 2)}),
    "transpose": ([("Transpose", "x", "y", {"perm": [0, 2, 1]})], {}, {"x": normal(2, 3, 4)}),
    "global average": ([("GlobalAveragePool", "x", "a"), ("Flatten", "a", "y")], {}, {"x": normal(2, 3, 4, 4)}),
    "global average as is": ([("GlobalAveragePool", "x", "y")], {}, {"x": normal(2, 3, 4, 4)}),
    "squeezed": ([("GlobalAveragePool", "x", "a"), ("Squeeze", "a s", "y")], {"s": np.array([2, 3])}, {"x": normal(2, 3, 4, 4)}),
    "average": ([("AveragePool", "x", "y", {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1})], {}, {"x": normal(2, 1, 4, 4)}),
    "mean": ([("ReduceMean", "x a", "y", {"keepdims": 0})], {"a": np.array([2, 3])}, {"x": normal(2, 3, 4, 4)}),
    "reshape": ([("Reshape", "x s", "y")], {"s": np.array([-1, 2, 3])}, {"x": normal(4, 6)}),
    "passed": ([("Identity", "x", "a"), ("Relu", "a", "b"), ("Dropout", "b", "c"), ("Tanh", "c", "y")], {}, {"x": X23}),
    "layer norm": ([("LayerNormalization", "x g b", "y")], {"g": normal(3), "b": normal(3)}, {"x": X23}),
    "conv1d grouped": ([("Conv", "x w", "y", {"group": 2, "dilations": [2], "pads": [1, 1]})], {"w": normal(4, 1, 3)}, {"x": normal(2, 2, 9)}),
    "same": ([("Conv", "x w", "y", {"auto_pad": "SAME_UPPER"})], {"w": normal(4, 2, 3, 3)}, {"x": normal(2, 2, 5, 5)}),
    "dead nodes": ([("Erf", "x", "unused"), ("Tanh", "x", "y")], {}, {"x": X23}),
    **{
        name: ([(name, "x", "y", attributes)], {}, {"x": np.abs(X23) + 0.1})
        for name, attributes in {
            "Relu": {}, "Sigmoid": {}, "Tanh": {}, "LeakyRelu": {"alpha": 0.25}, "Elu": {"alpha": 0.5}, "Selu": {}, "Gelu": {},
            "Softplus": {}, "Softsign": {}, "Exp": {}, "Log": {}, "Sin": {}, "Neg": {}, "Softmax": {}, "LogSoftmax": {"axis": -1},
        }.items()
    },
}  # fmt: skip


def nodes_of(written: list[Any]) -> list[Any]:
    return [
        helper.make_node(name, reads.split(), [makes], **(more[0] if more else {}))
        for name, reads, makes, *more in written
    ]


@pytest.mark.parametrize("name", SMALL)
def test_operators_compute_what_they_say(client: httpx.Client, name: str) -> None:
    written, constants, inputs = SMALL[name]
    content = model_of(nodes_of(written), constants, {name: [None] * array.ndim for name, array in inputs.items()})
    tolerance = OF_FLOAT32 if name in ("Selu", "Gelu", "layer norm") else 1e-11
    assert_reads_as_evaluated(client, content, tolerance, **inputs)


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
    model = onnx.load_from_string(model_of(CNN_NODES, CNN_CONSTANTS, {"x": ["n", 1, 8, 8]}))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    return bytes(model.SerializeToString())


def changed(change: Any) -> bytes:
    model = onnx.load_from_string(model_of(CNN_NODES, CNN_CONSTANTS, {"x": ["n", 1, 8, 8]}))
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


GOOD = model_of(CNN_NODES, CNN_CONSTANTS, {"x": ["n", 1, 8, 8]})
HOSTILE = {
    "external data": (external(), "lies in another file"),
    "huge shape": (changed(huge), "do not go together"),
    "negative shape": (changed(negative), "do not go together"),
    "rank 61": (changed(deep), "do not go together"),
    "infinite": (changed(infinite), "is inf"),
    "two outputs": (changed(two_outputs), "2 outputs"),
    "no nodes": (changed(no_nodes), "no nodes"),
    "hostile names": (changed(hostile_names), "no layer for this operator"),
    "cut off": (GOOD[: len(GOOD) // 2], ""),
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
    body = bytearray(GOOD)
    for position in generator.integers(0, len(body), 5):
        body[position] = generator.integers(0, 256)
    response = client.post("/v1/models/import", content=bytes(body), params={"format": "onnx"})
    assert response.status_code in (200, 201, 422), response.text


WRITTEN: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "mlp": (
        [{"kind": "dense", "units": 4, "activation": "tanh"}, {"kind": "dense", "units": 3, "activation": "softmax", "bias": False}],
        normal(5, 3),
    ),
    "functions": (
        [{"kind": "dense", "units": 4, "activation": name} for name in ("relu", "sigmoid", "elu", "selu", "softplus", "softsign", "silu")]
        + [{"kind": "activation", "function": name} for name in ("leaky_relu", "square", "sin", "exp", "negate", "log_softmax")]
        + [{"kind": "activation", "function": "sigmoid", "gain": -2.0}],
        normal(5, 3),
    ),
    "cnn": (
        [
            {"kind": "conv2d", "filters": 4, "kernel_size": [3, 2], "padding": [1, 0], "stride": 2, "activation": "relu"},
            {"kind": "batch_norm", "mode": "eval"},
            {"kind": "conv2d", "filters": 4, "kernel_size": 3, "padding": "same", "groups": 2, "mode": "convolution"},
            {"kind": "max_pool2d", "size": 2},
            {"kind": "average_pool2d", "size": 2, "padding": 1, "stride": 1},
            {"kind": "flatten"},
            {"kind": "dense", "units": 2},
        ],
        normal(3, 2, 9, 9),
    ),
    "residual": (
        [
            {"kind": "dense", "units": 3, "name": "a", "activation": "gelu"},
            {"kind": "add", "inputs": ["input", "a"], "name": "b"},
            {"kind": "multiply", "inputs": ["a", "b"], "name": "c"},
            {"kind": "subtract", "inputs": ["c", "input"], "name": "d"},
            {"kind": "concatenate", "inputs": ["a", "b", "c"], "activation": "tanh"},
            {"kind": "layer_norm"},
            {"kind": "rms_norm"},
        ],
        normal(4, 3),
    ),
    "sequences": (
        [
            {"kind": "conv1d", "filters": 3, "kernel_size": 2, "dilation": 2},
            {"kind": "transpose", "axes": [0, 2, 1]},
            {"kind": "dense", "units": 2},
            {"kind": "reduce_mean", "axis": 1},
            {"kind": "reshape", "shape": [1, 2]},
            {"kind": "dropout", "drop_probability": 0.0, "seed": 1},
        ],
        normal(4, 2, 7),
    ),
    "global": ([{"kind": "conv2d", "filters": 2, "kernel_size": 1}, {"kind": "global_average_pool"}], normal(2, 3, 4, 4)),
    "embedding": ([{"kind": "embedding", "vocabulary_size": 5, "units": 3}, {"kind": "reduce_sum", "axis": 1}], np.array([[0, 4], [2, 1]])),
    "two inputs": ([{"kind": "matmul", "inputs": ["left", "right"]}], {"left": normal(2, 3, 4), "right": normal(2, 4, 2)}),
}  # fmt: skip


def stored(client: httpx.Client, layers: list[dict[str, Any]], inputs: Any, dtype: str) -> str:
    """A model with parameters drawn from a seed, and statistics that are not the default."""
    batch = {name: array.tolist() for name, array in inputs.items()} if isinstance(inputs, dict) else inputs.tolist()
    network = {"layers": [{**layer, "mode": "train"} if layer["kind"] == "batch_norm" else layer for layer in layers]}
    asked = {"network": network, "batch": {"inputs": batch}, "seed": 1, "convention": "row", "dtype": dtype}
    drawn = client.post("/v1/forward", json=asked).json()
    model = {"network": {"layers": layers}, "convention": "row", "dtype": dtype}
    model |= {name: drawn[name] for name in ("parameters", "state") if name in drawn}
    response = client.post("/v1/models", json=model)
    assert response.status_code in (200, 201), response.text
    return str(response.json()["id"])


@pytest.mark.parametrize("name", WRITTEN)
def test_an_exported_model_evaluates_to_the_same_output(client: httpx.Client, name: str) -> None:
    """By onnxruntime in float32, which has all operators in it, and by onnx's own evaluator in float64."""
    layers, inputs = WRITTEN[name]
    arrays = inputs if isinstance(inputs, dict) else {"input": inputs}
    for dtype, tolerance in (("float32", 2e-5), ("float64", OF_FLOAT32)):
        identity = stored(client, layers, inputs, dtype)
        content = exported(client, identity, "onnx").content
        feed = {name: array.astype(dtype) for name, array in arrays.items()}
        if name == "two inputs":
            feed, dtype = {key: array.astype(np.float64) for key, array in arrays.items()}, "float64"
        if dtype == "float32":
            session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
            (found,) = session.run(["output"], feed)
        else:
            (found,) = ReferenceEvaluator(onnx.load_from_string(content)).run(["output"], feed)
        expected = output_of(client, identity, inputs, dtype)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["mlp", "residual", "cnn", "sequences", "functions", "global"])
def test_an_exported_model_comes_in_again(client: httpx.Client, name: str) -> None:
    layers, inputs = WRITTEN[name]
    layers = [layer for layer in layers if layer["kind"] not in ("rms_norm",)]
    identity = stored(client, layers, inputs, "float64")
    model = imported(client, exported(client, identity, "onnx").content, "onnx")
    expected = output_of(client, identity, inputs)
    np.testing.assert_allclose(output_of(client, model["id"], inputs), expected, rtol=1e-11, atol=1e-12)
    if name == "mlp":
        assert model["id"] == identity


def test_layers_without_an_operator_are_refused_at_once(client: httpx.Client) -> None:
    layers = [{"kind": "gru", "units": 2}, {"kind": "flatten"}, {"kind": "batch_norm"}, {"kind": "dense", "units": 1}]
    identity = client.post("/v1/models", json={"network": {"layers": layers}}).json()["id"]
    response = client.get(f"/v1/models/{identity}/export", params={"format": "onnx"})
    problem = refused(response, 422, "unsupported-operator")
    assert [error.pointer for error in problem.errors] == [f"#/network/layers/{position}" for position in (0, 2, 3)]


def test_the_extra_is_announced(client: httpx.Client) -> None:
    assert client.get("/v1").json()["extensions"] == ["onnx"]
    assert json.dumps(client.get("/v1").json())
