from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from app.wire.decode import decode
from tests.app.wire.models import One, Request, the_issue

LENGTH = "2 elements of float32 are 8 bytes, in base64 12 characters, not {}."
NO_BASE64 = "The data is not base64: the standard alphabet, padded with =, without spaces or line breaks."
SHAPE = "The shape of a tensor is a list of 1 to 8 lengths, integers from 1 on."
DTYPE = "The dtype of a tensor is one of float64, float32, int64, int32."


def encoded(**changes: Any) -> str:
    """A body with a tensor of two float32, with some of its entries replaced."""
    data = base64.b64encode(np.array([1, 2], "<f4").tobytes()).decode()
    return json.dumps({"x": {"dtype": "float32", "shape": [2], "data": data, **changes}})


def base64_of(values: Any, dtype: str) -> str:
    return base64.b64encode(np.array(values, dtype).tobytes()).decode()


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("shape", [[6], [2, 3], [1, 1, 6]])
def test_reads_every_dtype_in_c_order(dtype: str, shape: list[int]) -> None:
    values = np.arange(-3, 3).reshape(shape)
    array = decode(encoded(dtype=dtype, shape=shape, data=base64_of(values, dtype)).encode(), One).x
    assert array.dtype == (np.float32 if dtype == "float32" else np.float64)
    np.testing.assert_array_equal(array, values)


def test_one_piece_ends_where_the_next_begins() -> None:
    values = np.random.default_rng(0).standard_normal(200_001)
    array = decode(encoded(dtype="float64", shape=[200_001], data=base64_of(values, "<f8")).encode(), One).x
    assert array.tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("changes", "pointer", "detail"),
    [
        ({"dtype": "float16"}, "dtype", DTYPE),
        ({"dtype": 3}, "dtype", DTYPE),
        ({"dtype": [[]]}, "dtype", DTYPE),
        ({"shape": []}, "shape", SHAPE),
        ({"shape": 2}, "shape", SHAPE),
        ({"shape": [-2]}, "shape", SHAPE),
        ({"shape": [0]}, "shape", SHAPE),
        ({"shape": [2.0]}, "shape", SHAPE),
        ({"shape": [True, 2]}, "shape", SHAPE),
        ({"shape": ["2"]}, "shape", SHAPE),
        ({"shape": [1] * 9}, "shape", SHAPE),
        ({"data": None}, "data", "The data of a tensor is a string of base64."),
        ({"data": ""}, "data", LENGTH.format(0)),
        ({"data": "AACAPwAAAEA"}, "data", LENGTH.format(11)),
        ({"data": "AACAPwAAAEA=AAAA"}, "data", LENGTH.format(16)),
        ({"data": "AACAPwAAAE=="}, "data", NO_BASE64),
        ({"data": "AACAPwAAAEAA"}, "data", NO_BASE64),
        ({"data": "AACAP AAAEA="}, "data", NO_BASE64),
        ({"data": "AACAP\nAAAEA="}, "data", NO_BASE64),
        ({"data": "AACAP_AAAEA="}, "data", NO_BASE64),
        ({"data": "AAC=PwAAAEA="}, "data", NO_BASE64),
        ({"data": "é" * 12}, "data", NO_BASE64),
    ],
)
def test_refuses_what_does_not_fit_together(changes: dict[str, Any], pointer: str, detail: str) -> None:
    assert the_issue(encoded(**changes), One) == ("invalid-request", f"#/x/{pointer}", detail)


def test_refuses_a_shape_that_is_far_too_large() -> None:
    assert the_issue(encoded(shape=[2**62, 2**62]), One)[:2] == ("too-large", "#/x/shape")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_not_finite(value: float) -> None:
    body = encoded(dtype="float64", shape=[2, 2], data=base64_of([[1, 2], [3, value]], "<f8"))
    sentence = f"Element (1, 1) is {value}; only finite numbers are accepted."
    assert the_issue(body, One) == ("non-finite", "#/x/data", sentence)


def test_names_like_those_of_a_tensor_are_names_in_a_map() -> None:
    request = decode(b'{"parameters": {"1": {"dtype": [1], "shape": [2], "data": [3]}}}', Request)
    assert request.parameters is not None and request.parameters["1"]["shape"].tolist() == [2]
    request = decode(b'{"batch": {"inputs": {"data": [1], "shape": [2]}}}', Request)
    assert request.batch is not None and isinstance(request.batch.inputs, dict)


def test_a_tensor_in_base64_is_told_from_a_map_of_tensors() -> None:
    inputs = json.loads(encoded())["x"]
    request = decode(json.dumps({"batch": {"inputs": inputs}}).encode(), Request)
    assert request.batch is not None and isinstance(request.batch.inputs, np.ndarray)
