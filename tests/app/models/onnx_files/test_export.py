"""Models go out as ONNX: onnxruntime and onnx's own evaluator give what the service gives."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest

from tests.app.models.onnx_files.sample import OF_FLOAT32, evaluated, normal, output_of
from tests.app.models.test_transfers import exported, imported
from tests.server import refused

WRITTEN: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "mlp": (
        [
            {"kind": "dense", "units": 4, "activation": "tanh"},
            {"kind": "dense", "units": 3, "activation": "softmax", "bias": False},
        ],
        normal(5, 3),
    ),
    "functions": (
        [
            {"kind": "dense", "units": 4, "activation": name}
            for name in ("relu", "sigmoid", "elu", "selu", "softplus", "softsign", "silu")
        ]
        + [
            {"kind": "activation", "function": name}
            for name in ("leaky_relu", "square", "sin", "exp", "negate", "log_softmax")
        ]
        + [{"kind": "activation", "function": "sigmoid", "gain": -2.0}],
        normal(5, 3),
    ),
    "cnn": (
        [
            {
                "kind": "conv2d",
                "filters": 4,
                "kernel_size": [3, 2],
                "padding": [1, 0],
                "stride": 2,
                "activation": "relu",
            },
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
    "global": (
        [{"kind": "conv2d", "filters": 2, "kernel_size": 1}, {"kind": "global_average_pool"}],
        normal(2, 3, 4, 4),
    ),
    "embedding": (
        [{"kind": "embedding", "vocabulary_size": 5, "units": 3}, {"kind": "reduce_sum", "axis": 1}],
        np.array([[0, 4], [2, 1]]),
    ),
    "two inputs": (
        [{"kind": "matmul", "inputs": ["left", "right"]}],
        {"left": normal(2, 3, 4), "right": normal(2, 4, 2)},
    ),
}


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
            found = evaluated(content, **feed)
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
    assert client.get("/v1").json()["extensions"] == ["onnx", "keras"]
