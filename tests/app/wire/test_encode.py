from __future__ import annotations

import base64
import json
import math
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from app.wire.decode import decode
from app.wire.encode import BLOCK, Encoding, encode
from app.wire.tensor import Tensor
from core.errors import GraddError
from tests.app.wire.models import One

pytestmark = pytest.mark.slow

ENCODINGS: list[Encoding] = ["json", "base64"]


class Answer(BaseModel):
    loss: float
    output: Tensor
    missing: Tensor | None = None


def test_writes_nested_lists() -> None:
    answer = {
        "loss": 0.5,
        "output": np.array([[1.0, -0.0], [5e-324, 1e300]]),
        "classes": np.array([1, -2], np.int64),
        "layers": [{"bias": np.zeros(1, np.float32)}, None, True, "NaN, null"],
    }
    expected = (
        b'{"loss":0.5,"output":[[1.0,-0.0],[5e-324,1e+300]],"classes":[1,-2],'
        b'"layers":[{"bias":[0.0]},null,true,"NaN, null"]}'
    )
    assert encode(answer) == expected


def test_float32_is_written_in_its_own_shortest_form() -> None:
    assert encode([np.array([0.1, 16777216.0, 1e-45], np.float32)]) == b"[[0.1,16777216.0,1e-45]]"


def test_booleans_of_a_mask_are_numbers() -> None:
    assert encode({"mask": np.array([[True], [False]])}) == b'{"mask":[[1],[0]]}'
    text = json.loads(encode({"mask": np.array([True, False])}, encoding="base64"))["mask"]
    assert text == {"dtype": "int32", "shape": [2], "data": "AQAAAAAAAAA="}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_array_of_rank_0_is_a_number(encoding: Encoding) -> None:
    assert encode({"a": np.array(1.5), "b": np.float32(0.1)}, encoding=encoding) == b'{"a":1.5,"b":0.1}'


def test_writes_base64_little_endian_in_c_order() -> None:
    array = np.arange(6.0).reshape(3, 2).T
    written = json.loads(encode({"x": array}, encoding="base64"))["x"]
    assert (written["dtype"], written["shape"]) == ("float64", [2, 3])
    assert base64.b64decode(written["data"]) == array.astype("<f8").tobytes(order="C")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_writes_pydantic_models_without_what_is_none(encoding: Encoding) -> None:
    written = json.loads(encode({"answer": Answer(loss=1.0, output=np.ones(2))}, encoding=encoding))
    assert list(written["answer"]) == ["loss", "output"]


def test_nothing_else_is_written() -> None:
    for value in (object(), np.array([1j]), {1: 2}):
        with pytest.raises(TypeError):
            encode({"x": value})


LARGE = [
    (BLOCK + 1,),
    (2, BLOCK),
    (2, BLOCK + 1),
    (1, 1, 3 * BLOCK + 7),
    (BLOCK + 3, 1),
    (37, 11, 13, 17),
    (3 * BLOCK, 2),
    (3, 2, BLOCK // 2 + 1),
]


@pytest.mark.parametrize("shape", LARGE)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_large_arrays_are_written_in_pieces_that_fit_together(
    shape: tuple[int, ...], encoding: Encoding, layout: str
) -> None:
    array = np.random.default_rng(0).standard_normal((*shape[:-1], 2 * shape[-1]))
    array = array[..., ::2] if layout == "strided" else np.asarray(array[..., : shape[-1]], order=layout)  # type: ignore[call-overload]
    body = encode({"before": [1], "x": array, "after": {"y": array[:1]}}, encoding=encoding)
    if encoding == "json":
        assert json.loads(body) == {"before": [1], "x": array.tolist(), "after": {"y": array[:1].tolist()}}
    again = decode(encode({"x": array}, encoding=encoding), One).x
    assert again.shape == shape and again.tobytes() == array.tobytes()


def test_many_arrays_together_are_large_too() -> None:
    arrays = {str(number): np.full((100, 100), float(number)) for number in range(20)}
    answer = {"a": arrays, "b": [arrays, 1, []], "c": {}}
    plain = {name: array.tolist() for name, array in arrays.items()}
    assert json.loads(encode(answer)) == {"a": plain, "b": [plain, 1, []], "c": {}}


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(ENCODINGS))
def test_scalars_are_written_exactly(value: float, encoding: Encoding) -> None:
    written = json.loads(encode({"value": value}, encoding=encoding))["value"]
    assert math.copysign(1, written) == math.copysign(1, value) and written == value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [2, 3 * BLOCK])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_refuses_what_is_not_finite(value: float, size: int, encoding: Encoding) -> None:
    array = np.zeros((2, size), np.float32)
    array[1, size - 1] = value
    cases: list[tuple[Any, tuple[str | int, ...]]] = [
        ({"output": array, "a": None}, ("output", 1, size - 1)),
        ({"a": [{"b": array}]}, ("a", 0, "b", 1, size - 1)),
        ({"a": Answer(loss=1.0, output=array)}, ("a", "output", 1, size - 1)),
        ({"x": np.ones(size), "loss": value}, ("loss",)),
        ({"x": np.ones(size), "loss": np.float32(value)}, ("loss",)),
        ({"x": np.ones(size), "loss": np.array(value)}, ("loss",)),
    ]
    for answer, path in cases:
        with pytest.raises(GraddError) as caught:
            encode(answer, encoding=encoding)
        (issue,) = caught.value.issues
        assert (issue.code, issue.path, issue.got) == ("non-finite", path, str(value))


def test_other_threads_run_while_a_large_answer_is_written() -> None:
    answer = {"x": np.random.default_rng(0).standard_normal((3000, 1000))}
    writer = threading.Thread(target=encode, args=(answer,))
    turns = 0
    writer.start()
    while writer.is_alive():
        turns += 1
        time.sleep(0.001)
    # At least a hundred milliseconds of writing in pieces of about one; in one go there would be two turns.
    assert turns > 10
