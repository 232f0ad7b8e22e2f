"""Tensors survive the wire bit for bit, in lists and in base64; what is not a tensor is refused where it stands."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import BaseModel

from app.wire.decode import decode
from app.wire.encode import encode
from app.wire.tensor import Tensor
from core.errors import GraddError, Refusal


class Message(BaseModel):
    """A request with a tensor, a map of tensors, and something else."""

    model_config = {"extra": "forbid"}

    tensor: Tensor
    named: dict[str, Tensor] | None = None
    count: int = 0


shapes = arrays.array_shapes(min_dims=1, max_dims=4, max_side=4)
doubles = arrays.arrays(np.float64, shapes, elements=st.floats(allow_nan=False, allow_infinity=False))
singles = arrays.arrays(np.float32, shapes, elements=st.floats(allow_nan=False, allow_infinity=False, width=32))


def issue_of(body: bytes) -> Any:
    with pytest.raises(Refusal) as caught:
        decode(body, Message)
    return caught.value.issues[0]


@given(array=doubles | singles, encoding=st.sampled_from(["json", "base64"]))
def test_what_is_written_is_read_back_bit_for_bit(array: Any, encoding: Literal["json", "base64"]) -> None:
    body = encode({"tensor": array, "named": {"a": array.T}}, encoding=encoding)
    message = decode(body, Message)
    for read, written in ((message.tensor, array), ((message.named or {})["a"], array.T)):
        assert read.shape == written.shape
        assert np.asarray(read, written.dtype).tobytes() == np.ascontiguousarray(written).tobytes()


@given(array=doubles)
def test_lists_are_read_as_the_standard_library_reads_them(array: Any) -> None:
    body = json.dumps({"tensor": array.tolist()}).encode()
    np.testing.assert_array_equal(decode(body, Message).tensor, np.array(json.loads(body)["tensor"], float))


def test_whole_numbers_and_fractions_mix() -> None:
    read = decode(b'{"tensor": [[1, 2.5], [-3, 18446744073709551615]]}', Message).tensor
    assert read.tolist() == [[1.0, 2.5], [-3.0, 18446744073709551615.0]]


@pytest.mark.parametrize(
    ("tensor", "code", "path"),
    [
        ("[[1, 2], [3]]", "ragged-array", ("tensor", 1)),
        ("[[1, 2], 3]", "ragged-array", ("tensor", 1)),
        ("[1, [2]]", "ragged-array", ("tensor", 1)),
        ("[[1, 2], [3, null]]", "invalid-request", ("tensor", 1, 1)),
        ("[true]", "invalid-request", ("tensor", 0)),
        ('["1.5"]', "invalid-request", ("tensor", 0)),
        ("[1e400]", "non-finite", ("tensor", 0)),
        ("[[]]", "invalid-request", ("tensor", 0)),
        ("[" * 9 + "1" + "]" * 9, "invalid-request", ("tensor",)),
        ('"text"', "invalid-request", ("tensor",)),
        ('{"dtype": "float64", "shape": [2], "data": "AAAA"}', "invalid-request", ("tensor", "data")),
        ('{"dtype": "float16", "shape": [1], "data": "AAAA"}', "invalid-request", ("tensor", "dtype")),
        ('{"dtype": "float64", "shape": [1], "data": "AAAAAAAA+H8="}', "non-finite", ("tensor", "data")),
    ],
)
def test_refuses_what_is_no_tensor_where_it_stands(tensor: str, code: str, path: tuple[Any, ...]) -> None:
    issue = issue_of(b'{"tensor": %s}' % tensor.encode())
    assert issue.code in {code, "unknown-name"}
    assert issue.path[: len(path)] == path


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"tensor": [1,]}', b'{"tensor": [NaN]}', b'{"tensor": [01]}', b'{"a": "\xff"}'],
)
def test_refuses_what_is_no_json(body: bytes) -> None:
    assert issue_of(body).code == "malformed-json"


def test_refuses_a_name_that_occurs_twice() -> None:
    assert issue_of(b'{"tensor": [1], "count": 1, "count": 2}').code in {"malformed-json", "invalid-request"}


def test_never_writes_nan() -> None:
    with pytest.raises(GraddError) as caught:
        encode({"output": {"1": np.array([1.0, np.nan])}})
    assert caught.value.issues[0].code == "non-finite"


def test_large_arrays_are_written_in_pieces_that_fit_together() -> None:
    array = np.random.default_rng(0).standard_normal((300, 1000))
    assert orjson.loads(encode({"tensor": array})) == {"tensor": array.tolist()}


@given(st.data())
def test_a_damaged_body_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    body = bytearray(b'{"tensor": [[1, 2.5e3], [-3, 4]], "named": {"a": [1]}, "count": 3}')
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(body), Message)
    except GraddError as error:
        assert error.issues
