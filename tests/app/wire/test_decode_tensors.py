from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from app.wire.decode import decode
from app.wire.encode import Encoding, encode
from app.wire.limits import DocumentLimits
from tests.app.wire.models import One, Request, refused, the_issue

shapes = array_shapes(min_dims=1, max_dims=5, max_side=4)
doubles = arrays(np.float64, shapes, elements=st.floats(allow_nan=False, allow_infinity=False))
singles = arrays(np.float32, shapes, elements=st.floats(allow_nan=False, allow_infinity=False, width=32))
LIMITS = ["5e-324", "-0.0", "1.7976931348623157e308", "2.2250738585072011e-308", "1e-400", "0.1e1", "1E5"]


def same_bits(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


@settings(max_examples=200)
@given(array=doubles, encoding=st.sampled_from(["json", "base64"]), transposed=st.booleans())
def test_every_float64_comes_back_with_the_same_bits(array: Any, encoding: Encoding, transposed: bool) -> None:
    array = array.T if transposed else array
    again = decode(encode({"x": array}, encoding=encoding), One).x
    assert same_bits(again, array)
    assert again.flags.c_contiguous


@settings(max_examples=200)
@given(array=singles, encoding=st.sampled_from(["json", "base64"]))
def test_every_float32_comes_back_with_the_same_bits(array: Any, encoding: Encoding) -> None:
    again = decode(encode({"x": array}, encoding=encoding), One).x
    assert again.dtype == (np.float64 if encoding == "json" else np.float32)
    assert same_bits(again.astype(np.float32), array)


@settings(max_examples=200)
@given(array=doubles)
def test_numbers_written_by_the_standard_library_are_read_exactly(array: Any) -> None:
    assert same_bits(decode(json.dumps({"x": array.tolist()}).encode(), One).x, array)


@given(st.lists(st.integers(-(2**80), 2**80) | st.floats(-1e300, 1e300), min_size=1))
def test_integers_and_floats_may_be_mixed(numbers: list[float]) -> None:
    array = decode(json.dumps({"x": numbers}).encode(), One).x
    assert same_bits(array, np.array([float(number) for number in numbers]))


@pytest.mark.parametrize("text", LIMITS)
def test_reads_the_ends_of_the_range(text: str) -> None:
    assert same_bits(decode(f'{{"x": [{text}]}}'.encode(), One).x, np.array([float(text)]))


def test_tensors_stand_wherever_the_model_has_them() -> None:
    body = """{"parameters": {"1": {"weight": [[1, 2]], "bias": [3]}}, "batch": {"inputs": {"a": [1], "b": [[2]]}},
               "children": [{"batch": {"inputs": [[5]], "targets": null}}], "learning_rate": {"1": {"weight": [[0.5]]}}}"""
    request = decode(body.encode(), Request)
    assert request.parameters is not None and request.batch is not None
    assert request.parameters["1"]["weight"].shape == (1, 2)
    assert isinstance(request.batch.inputs, dict) and request.batch.inputs["b"].shape == (1, 1)
    child = request.children[0].batch
    assert child is not None and isinstance(child.inputs, np.ndarray) and child.targets is None
    assert isinstance(request.learning_rate, dict) and request.learning_rate["1"]["weight"][0, 0] == 0.5


def test_a_number_is_a_tensor_of_rank_0_unless_the_field_may_be_a_number() -> None:
    request = decode(b'{"batch": {"inputs": 2}, "threshold": 2, "learning_rate": 3}', Request)
    assert request.batch is not None and isinstance(request.batch.inputs, np.ndarray)
    assert request.batch.inputs.shape == () and request.batch.inputs == 2.0
    assert type(request.threshold) is float and type(request.learning_rate) is float


REFUSED = [
    ("[[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 2]]", "ragged-array", "/3", "Row 3 has 2 elements, row 0 has 3."),
    ("[[1, 2], [3, 4, 5], [6]]", "ragged-array", "/1", "Row 1 has 3 elements, row 0 has 2."),
    ("[[1], []]", "ragged-array", "/1", "Row 1 has 0 elements, row 0 has 1."),
    ("[[[1], [2]], [[3], [4, 5]]]", "ragged-array", "/1/1", "Row (1, 1) has 2 elements, row (0, 0) has 1."),
    ("[[[1], [2]], [[3]]]", "ragged-array", "/1", "Row 1 has 1 element, row 0 has 2."),
    ("[1, [2]]", "ragged-array", "/1", "Element 1 is a list, element 0 is a number."),
    ("[[1], 2]", "ragged-array", "/1", "Element 1 is a number, element 0 is a list."),
    ("[[1, [2]], [3, 4]]", "ragged-array", "/0/1", "Element (0, 1) is a list, element (0, 0) is a number."),
    ("[[1, []], [[2, 3], 4]]", "ragged-array", "/0/1", "Element (0, 1) is a list, element (0, 0) is a number."),
    ("[[1, 2], [[3], [4]]]", "ragged-array", "/1/0", "Element (1, 0) is a list, element (0, 0) is a number."),
    ("[]", "invalid-request", "", "The list is empty; every axis of a tensor has at least one element."),
    ("[[[]]]", "invalid-request", "/0/0", "The list is empty; every axis of a tensor has at least one element."),
    ("[[1, 2], [3, true]]", "invalid-request", "/1/1", "Element (1, 1) is true, not a number."),
    ("[false]", "invalid-request", "/0", "Element 0 is false, not a number."),
    ('[1, "1.5"]', "invalid-request", "/1", "Element 1 is a string, not a number."),
    ("[[null]]", "invalid-request", "/0/0", "Element (0, 0) is null, not a number."),
    ('[1, {"a": 1}]', "invalid-request", "/1", "Element 1 is an object, not a number."),
    ("[" * 9 + "1" + "]" * 9, "invalid-request", "", "The lists are nested deeper than the 8 axes that a tensor may have."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "pointer", "detail"), REFUSED)
def test_refuses_what_is_no_tensor(text: str, code: str, pointer: str, detail: str) -> None:
    assert the_issue(f'{{"batch": {{"inputs": {text}}}}}') == (code, f"#/batch/inputs{pointer}", detail)


def test_a_bracket_in_a_string_is_no_list() -> None:
    body = '{"batch": {"inputs": {"layer[0]": [[1, 2], [3, 4]]}}, "children": [{"batch": {"inputs": {"[": [1]}}}]}'
    request = decode(body.encode(), Request)
    assert request.batch is not None and isinstance(request.batch.inputs, dict)
    assert request.batch.inputs["layer[0]"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("value", ['"x"', "true", '{"a": "x"}', "null"])
def test_what_is_no_list_is_no_tensor(value: str) -> None:
    code, pointer, detail = the_issue(f'{{"batch": {{"inputs": {value}}}}}')
    assert (code, pointer.split("/a")[0]) == ("invalid-request", "#/batch/inputs")
    assert "should be a tensor" in detail


def test_all_broken_tensors_are_listed_with_everything_else() -> None:
    body = """{"batch": {"inputs": [[1], []], "targets": [true], "target": 1}, "seed": "1", "layers": [{}],
               "parameters": {"1": {"weight": [["a"]]}}}"""
    paths: list[tuple[str | int, ...]] = [
        ("batch", "inputs", 1),
        ("batch", "targets", 0),
        ("parameters", "1", "weight", 0, 0),
    ]
    paths += [("layers", 0, "kind"), ("batch", "target"), ("seed",)]
    assert [issue.path for issue in refused(body)] == paths


def test_elements_are_limited_over_all_tensors() -> None:
    limits = DocumentLimits(elements=5)
    assert decode(b'{"batch": {"inputs": [1, 2, 3], "targets": [4, 5]}}', Request, limits)
    body = '{"batch": {"inputs": [1, 2, 3], "targets": [[4, 5, 6]]}}'
    assert the_issue(body, limits=limits)[:2] == ("too-large", "#/batch/targets")
    encoded = base64.b64encode(np.ones(3).tobytes()).decode()
    body = f'{{"batch": {{"inputs": [1, 2, 3], "targets": {{"dtype": "float64", "shape": [3], "data": "{encoded}"}}}}}}'
    assert the_issue(body, limits=limits)[:2] == ("too-large", "#/batch/targets/shape")
