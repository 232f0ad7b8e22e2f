"""The fast reading of small documents gives the bits of the thorough one, and its key tells forms apart, not numbers."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.computations.gradients.schemas import GradientsRequest
from app.examples import XOR
from app.wire.decode import read_values
from app.wire.form_key import SMALL, key_of, read_small
from app.wire.tensor_fields import field_tree
from core.errors import Refusal

NODE = field_tree(GradientsRequest)


def same(one: Any, other: Any) -> bool:
    """Whether two documents have the same names in the same order, types and bits."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and (one.dtype, one.shape, one.tobytes()) == (
            other.dtype,
            other.shape,
            other.tobytes(),
        )
    if isinstance(one, dict):
        return (
            isinstance(other, dict) and list(one) == list(other) and all(same(one[name], other[name]) for name in one)
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def assert_read_alike(body: bytes) -> bytes | None:
    """The fast reading reads as the thorough one does, or leaves the body to it; return the key."""
    found = read_small(body, NODE)
    if found is None:
        return None
    values, issues = read_values(body, NODE)
    assert not issues
    assert same(found[0], values)
    assert found[1] == key_of(values, NODE)
    return found[1]


def with_inputs(tensor: Any) -> bytes:
    return json.dumps({**XOR, "batch": {**XOR["batch"], "inputs": tensor}}).encode()


floats = st.floats(allow_nan=False, allow_infinity=False)
numbers = floats | st.integers(-(2**70), 2**70) | st.sampled_from([0, -0.0, 2**63, 2**64, -(2**63) - 1, 2**53 + 1])
texts = st.text(max_size=8)
plain = st.none() | st.booleans() | numbers | texts


@given(rows=st.integers(1, 3), columns=st.integers(1, 3), data=st.data())
@settings(max_examples=150)
def test_numbers_have_the_same_bits(rows: int, columns: int, data: st.DataObject) -> None:
    row = st.lists(numbers, min_size=columns, max_size=columns)
    assert assert_read_alike(with_inputs(data.draw(st.lists(row, min_size=rows, max_size=rows))))


@given(written=st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
@settings(max_examples=300)
def test_numbers_as_they_may_be_written(written: str) -> None:
    body = with_inputs([["@"]]).replace(b'"@"', written.encode())
    try:
        read_values(body, NODE)
    except Refusal:
        assert read_small(body, NODE) is None
    else:
        assert assert_read_alike(body)


@given(
    st.recursive(
        plain, lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3), max_leaves=12
    )
)
@settings(max_examples=200)
def test_any_value_in_the_place_of_a_tensor_or_beside_it(value: Any) -> None:
    assert_read_alike(with_inputs(value))
    assert_read_alike(json.dumps({**XOR, "state": value, "loss": value}, ensure_ascii=False).encode())


def test_numbers_have_no_part_in_a_key() -> None:
    one, other, whole = ([[number, 0.5]] * 4 for number in (1e-5, -1e300, 7))
    assert (
        assert_read_alike(with_inputs(one))
        == assert_read_alike(with_inputs(other))
        == assert_read_alike(with_inputs(whole))
    )


def changed(*path: Any, value: Any) -> bytes:
    body = copy.deepcopy(XOR)
    parent = body
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return json.dumps(body).encode()


OTHERS = [
    changed("batch", "inputs", value=[[0.5, 1]] * 3), changed("batch", "inputs", value=[[[0.5, 1]]] * 4),
    changed("batch", "inputs", value=[0.5, 1, 2, 3]), changed("batch", "inputs", value={"input": [[0.5, 1]] * 4}),
    changed("batch", "inputs", value={"a": [[0.5, 1]] * 4}), changed("batch", "targets", value=None),
    changed("batch", "targets", value=[0, 1, 1, 0]), changed("batch", "sample_weight", value=[1, 1, 1, 1]),
    changed("network", "layers", 0, "activation", value="relu"), changed("network", "layers", 1, "name", value="o"),
    changed("loss", "reduction", value="sum"), changed("loss", "l2", value=0), changed("loss", "l2", value=0.0),
    changed("loss", "l2", value=-0.0), changed("loss", "l2", value=False), changed("loss", "l2", value=None),
    changed("loss", "l2", value="0"), changed("seed", value=1), changed("seed", value=2), changed("seed", value=2.0),
    changed("seed", value=True), changed("convention", value="torch"), changed("dtype", value="float32"),
    changed("model", value="mdl_0"), changed("model", value="mdl_1"), changed("include", value=["loss"]),
    changed("include", value=["loss", "loss"]), changed("include", value=[]), changed("verify", value=True),
    changed("layers", value=["d", [4, 2]]), changed("parameters", "1", "x", value=[1]), changed("parameters", value=None),
    json.dumps(dict(reversed(XOR.items()))).encode(), json.dumps(XOR).encode(),
]  # fmt: skip


def test_whatever_else_differs_is_another_form() -> None:
    keys = [assert_read_alike(body) for body in OTHERS]
    assert None not in keys
    assert len(set(keys)) == len(OTHERS)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_base64(dtype: str) -> None:
    """float32 is a form of its own; integers are read as float64."""
    data = base64.b64encode(np.arange(8).reshape(4, 2).astype(dtype).tobytes()).decode()
    body = with_inputs({"dtype": dtype, "shape": [4, 2], "data": data})
    key, lists = assert_read_alike(body), assert_read_alike(with_inputs([[0, 1]] * 4))
    assert (key == lists) == (dtype != "float32")
    assert read_small(body.replace(b'"shape"', b'"dtype": "float64", "shape"'), NODE) is None
    assert read_small(body.replace(data.encode(), b"::::"), NODE) is None


@pytest.mark.parametrize(
    "body",
    [
        with_inputs([[1, 2], [3]]), with_inputs([[1, 2], 3]), with_inputs([[True, 1]]), with_inputs([["1", 1]]),
        with_inputs([[]]), with_inputs(3), with_inputs([[[[[[[[[1]]]]]]]]]), b"[]", b"1", b"", b"{",
        b'{"a": 1, "a": 1}', b'{"\\u0061": 1}',
        json.dumps({"x" * 201: 1}).encode(), json.dumps({"x": json.loads("[" * 80 + "]" * 80)}).encode(), b'{"a": NaN}',
        json.dumps({**XOR, "parameters": {"y" * 201: {"bias": [1]}}}).encode(), json.dumps(XOR).encode() + b" " * SMALL,
    ],
)  # fmt: skip
def test_what_is_left_to_the_thorough_reading(body: bytes) -> None:
    assert read_small(body, NODE) is None
