"""Whatever the body is: it is read as the standard library reads it, or refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.wire.decode import decode
from core.errors import GraddError
from tests.app.wire.models import Free, Request

pytestmark = pytest.mark.slow

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | text
names = text.filter(lambda name: name != "x")
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=8
)
documents = st.dictionaries(names, values, max_size=3)


SEEDS = [
    b'{"layers": [{"kind": "dense", "units": 3}, {"kind": "activation", "function": "relu"}], "seed": 7}',
    b'{"parameters": {"1": {"weight": [[0.1, -2.5e-3], [3, 4]], "bias": [0, 1]}}, "convention": "row"}',
    b'{"batch": {"inputs": [[0, 0], [0, 1]], "targets": [[1], [0]]}, "learning_rate": {"1": {"weight": [[1]]}}}',
    b'{"batch": {"inputs": {"a": {"dtype": "float32", "shape": [2], "data": "AACAPwAAAEA="}}}, "threshold": 1e3}',
    '{"children": [{"children": [], "batch": {"inputs": {"ä\\ud83d\\ude00[": [[[1]]]}}}]}'.encode(),
]
PIECES = rb"""[ ] { } , : " null true NaN 1e400 - 0 999999999999999999999999999999 \ud800 \u0000 [] [[1],2] "x": "dtype":
              1.5 [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[""".split()
PIECES += [b"\xff", b"\xef\xbb\xbf", b"\0", b" "]


@settings(max_examples=100)
@given(documents, st.sampled_from([None, 1]), st.booleans())
def test_reads_what_the_standard_library_reads(document: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    read = decode(body, Free).model_extra
    assert read == json.loads(body)
    assert json.dumps(read) == json.dumps(json.loads(body))  # Also tells 1 from 1.0 and -0.0 from 0.0.


@settings(max_examples=300)
@given(
    st.recursive(st.floats(-1e9, 1e9) | st.integers(-9, 9), lambda inner: st.lists(inner, max_size=3), max_leaves=12)
)
@example([[1, [2]], [3, 4]])
@example([[1, []], [[2, 3], 4]])
@example([[[1], [2]], [[3], 4]])
def test_reads_the_tensors_that_numpy_reads(nested: Any) -> None:
    try:
        expected = np.array(nested, np.float64)
    except ValueError:
        expected = np.empty(0)
    try:
        read = decode(json.dumps({"x": nested}).encode(), Free).x
    except GraddError:
        assert expected.size == 0
        return
    assert read is not None and expected.size
    assert read.shape == expected.shape and read.tobytes() == expected.tobytes()


@settings(max_examples=1000)
@given(st.data())
def test_any_body_is_read_or_refused(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(start + 8, len(body))))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3) | st.just(body[end : end + 20]))
        body = body[:start] + piece + body[end:]
    read_or_refused(body)


@settings(max_examples=100)
@given(st.binary(max_size=40) | documents.map(lambda document: json.dumps(document).encode()))
def test_bytes_of_any_kind_are_read_or_refused(body: bytes) -> None:
    read_or_refused(body)


def read_or_refused(body: bytes) -> None:
    for model in (Request, Free):
        try:
            assert isinstance(decode(body, model), model)
        except GraddError as error:
            assert 0 < len(error.issues) <= 20
            for issue in error.issues:
                assert issue.detail.endswith((".", "?", "!"))
                json.dumps([issue.detail, list(issue.path), issue.expected, issue.got]).encode()
