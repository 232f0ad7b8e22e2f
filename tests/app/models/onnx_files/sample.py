"""Files for the tests of ONNX, and what onnx's own evaluator makes of them."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from core.arrays import Array
from tests.app.models.test_transfers import imported

random = np.random.default_rng(8)
F64 = np.float64


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


def nodes_of(written: list[Any]) -> list[Any]:
    return [
        helper.make_node(name, reads.split(), [makes], **(more[0] if more else {}))
        for name, reads, makes, *more in written
    ]


CNN_CONSTANTS = {
    "conv.weight": normal(4, 1, 3, 3),
    "conv.bias": normal(4),
    "bn.weight": normal(4),
    "bn.bias": normal(4),
    "bn.running_mean": normal(4),
    "bn.running_var": random.uniform(0.5, 2, 4),
    "fc.weight": normal(3, 16),
    "fc.bias": normal(3),
    "shape": np.array([0, -1]),
}
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


CNN = model_of(CNN_NODES, CNN_CONSTANTS, {"x": ["n", 1, 8, 8]})
