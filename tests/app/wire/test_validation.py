from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError, field_validator

from app.wire.json_pointer import path_at, path_of, value_at
from app.wire.limits import ISSUES_LIMIT
from app.wire.tensor import Tensor
from tests.app.wire.models import Body, Free, refused, the_issue

TENSOR = "a tensor (numbers in nested lists; or dtype, shape and data)"


def dense(**changes: Any) -> str:
    return json.dumps({"layers": [{"kind": "dense", "units": 1}, {"kind": "dense", "units": 1, **changes}]})


@pytest.mark.parametrize(
    ("body", "code", "pointer", "detail"),
    [
        ('{"layers": {}}', "invalid-request", "#/layers", "'layers' should be a list, not an object."),
        ('{"layers": [3]}', "invalid-request", "#/layers/0", "Element 0 should be an object, not 3."),
        ('{"layers": [{"kind": "dense"}]}', "invalid-request", "#/layers/0/units", "'units' is required."),
        (
            '{"layers": [{"units": 1}]}',
            "invalid-request",
            "#/layers/0/kind",
            "'kind' is required: it chooses the kind.",
        ),
        (
            '{"layers": [{"kind": "dens", "units": 1}]}',
            "unknown-name",
            "#/layers/0/kind",
            "'kind' cannot be 'dens'. Did you mean 'dense'? Valid: dense, activation.",
        ),
        (dense(units=0), "invalid-request", "#/layers/1/units", "'units' should be greater than 0, not 0."),
        (dense(units="3"), "invalid-request", "#/layers/1/units", "'units' should be an integer, not '3'."),
        (dense(units=True), "invalid-request", "#/layers/1/units", "'units' should be an integer, not true."),
        (dense(units=1.5), "invalid-request", "#/layers/1/units", "'units' should be an integer, not 1.5."),
        (dense(units=None), "invalid-request", "#/layers/1/units", "'units' should be an integer, not null."),
        (
            dense(unit=3),
            "unknown-name",
            "#/layers/1/unit",
            "'unit' is not known here. Did you mean 'units'? Valid: units, kind.",
        ),
        (dense(units=13), "unsupported-operator", "#/layers/1/units", "Thirteen units bring bad luck."),
        (dense(units=14), "invalid-request", "#/layers/1", "Fourteen is no better."),
        (
            '{"convention": "rows"}',
            "unknown-name",
            "#/convention",
            "'convention' cannot be 'rows'. Did you mean 'row'? Valid: row, column.",
        ),
        ('{"convention": 3}', "invalid-request", "#/convention", "'convention' should be 'row' or 'column'."),
        ('{"seed": [1]}', "invalid-request", "#/seed", "'seed' should be an integer, not a list."),
        ('{"batch": [1]}', "invalid-request", "#/batch", "'batch' should be an object, not a list."),
        (
            '{"learning_rate": "fast"}',
            "invalid-request",
            "#/learning_rate",
            "'learning_rate' should be a number or an object, not 'fast'.",
        ),
        (
            '{"batch": {"inputs": "x"}}',
            "invalid-request",
            "#/batch/inputs",
            f"'inputs' should be {TENSOR} or an object, not 'x'.",
        ),
        (
            '{"batch": {"inputs": {"a": "x"}}}',
            "invalid-request",
            "#/batch/inputs/a",
            f"'a' should be {TENSOR}, not 'x'.",
        ),
        (
            '{"batch": {"inputs": [1], "input": 1}}',
            "unknown-name",
            "#/batch/input",
            "'input' is not known here. Did you mean 'inputs'? Valid: inputs, targets.",
        ),
        (
            '{"parameters": {"1": {"weight": 1}, "2": [1]}}',
            "invalid-request",
            "#/parameters/2",
            "'2' should be an object, not a list.",
        ),
        (
            '{"children": [{"children": [{"seeds": 1}]}]}',
            "unknown-name",
            "#/children/0/children/0/seeds",
            "'seeds' is not known here. Did you mean 'seed'? "
            "Valid: layers, parameters, batch, learning_rate, threshold, convention, seed, children.",
        ),
    ],
)
def test_says_what_is_wrong_and_where(body: str, code: str, pointer: str, detail: str) -> None:
    assert the_issue(body) == (code, pointer, detail)


def test_all_issues_come_at_once_but_no_more_than_twenty() -> None:
    bodies = {"layers": [{"kind": "dense", "units": 0}] * 3, "seeds": 1, "convention": "x"}
    assert len(refused(json.dumps(bodies))) == 5
    assert len(refused(json.dumps({"layers": [{"kind": "dense", "units": 13}] * 500}))) == ISSUES_LIMIT
    assert len(refused(json.dumps({"layers": [{}] * 500}))) == ISSUES_LIMIT
    assert len(refused('{"batch": {"inputs": {' + ", ".join(f'"{name}": []' for name in range(100)) + "}}}")) == 20


@pytest.mark.parametrize(
    "body",
    [
        {"seed": "LONG"},
        {"LONG": 1},
        {"convention": "LONG"},
        {"layers": [{"kind": "LONG"}]},
        {"layers": ["LONG"]},
        {"batch": {"inputs": ["LONG"]}},
        {"batch": {"inputs": {"dtype": "LONG", "shape": ["LONG"], "data": "LONG"}}},
        {"parameters": {"LONG": 1}},
        {"learning_rate": {"1": {"LONG": "LONG"}}},
    ],
)
def test_never_repeats_a_long_input(body: dict[str, Any]) -> None:
    issues = refused(json.dumps(body).replace("LONG", "x" * 10**6))
    assert len(repr(issues)) < 4000


def test_issues_say_what_was_expected_and_what_came() -> None:
    (issue,) = refused(dense(units=-3))
    assert (issue.expected, issue.got) == ("greater than 0", "-3")
    (issue,) = refused(dense(unit=-3))
    assert (issue.expected, issue.got, issue.hint) == (["units", "kind"], "unit", "Use 'units'.")


class Checked(Body):
    x: Tensor
    y: int = 0

    @field_validator("x")
    @classmethod
    def has_two_axes(cls, x: Any) -> Any:
        if x.ndim != 2:
            raise ValueError("x is a matrix")
        return x


def test_checks_of_tensors_are_left_out_where_a_tensor_was_refused() -> None:
    assert the_issue('{"x": [1]}', Checked) == ("invalid-request", "#/x", "x is a matrix.")
    assert [issue.path for issue in refused('{"x": [[1], []], "y": "a"}', Checked)] == [("x", 1), ("y",)]


def test_paths_follow_the_document_and_drop_what_is_not_in_it() -> None:
    document = {"a": [{"b": 1}, {"dense": 2}]}
    assert path_of(("a", 1, "dense", "units"), document) == ("a", 1, "dense")
    assert path_of(("a", 0, "Dense", "b"), document) == ("a", 0, "b")
    assert path_of(("a", 0, "function-after[check(), int]", "c"), document, missing=True) == ("a", 0, "c")
    assert value_at(("a", 1, "dense"), document) == 2
    assert value_at(("a", 5), document) is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": ', ("a",)),
        ('{"a": [1, 2, ', ("a", 2)),
        ('{"a": {"b": [[], [[1], {"c": ', ("a", "b", 1, 1, "c")),
        ('{"a": [1], ', ()),
        ('{"a\\u0062,[": [', ("ab,[", 0)),
        ("]]]]", ()),
        ('{"a" "b": 1', ("b",)),
        (",,,::", ()),
    ],
)
def test_the_path_of_a_byte(text: str, path: tuple[str | int, ...]) -> None:
    assert path_at(text.encode(), len(text)) == path


def test_an_array_is_validated_without_a_copy() -> None:
    array = np.ones((2, 3))
    assert Free(x=array).x is array
    with pytest.raises(ValidationError):
        Free(x=[[1.0]])
