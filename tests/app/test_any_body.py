"""Any value in any place of any documented request is either answered or refused in the one shape: never a 500."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server import JSON, examples, published, refused

pytestmark = pytest.mark.slow

BARE_NULL = re.compile(rb"[\[:,]null[\],}]")
"""null as a value; a name such as null_space may hold the word."""

STRANGE: list[Any] = [
    None, True, 0, -1, 3, 1.5, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 1e308, -1e308, 5e-324,
    "", "a", "3", "[[", "x" * 3000, [], [[]], [[[]]], {}, {"": 0}, [None], [True], ["a"], [1, 2], [[1, 2]],
    [[1, 2], [3]], [[1], [[2]]], [{}], {"kind": "dense"}, {"input": [[1]]}, json.loads("[" * 70 + "]" * 70),
    {"dtype": "float64", "shape": [1], "data": "AAAAAAAA8D8="},
    {"dtype": "float64", "shape": [1], "data": "AAAAAAAA8H8="},
    {"dtype": "float64", "shape": [10**12], "data": ""},
    {"dtype": "float64", "shape": [10**30, 0], "data": ""},
]  # fmt: skip
"""Values that have broken services like this one."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document; of a list only the first one."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    *above, last = path
    parent = document
    for key in above:
        parent = parent[key]
    parent[last] = value
    return document


def assert_answered_or_refused(client: httpx.Client, path: str, content: bytes) -> None:
    response = client.post(path, content=content, headers=JSON)
    declared = published()["paths"][path]["post"]["responses"]
    assert str(response.status_code) in declared, (response.status_code, content[:2000], response.text[:2000])
    if response.status_code in (200, 201, 202):
        assert b"NaN" not in response.content
        assert b"Infinity" not in response.content
        assert not BARE_NULL.search(response.content)
    else:
        assert refused(response, response.status_code).errors, content[:2000]


@pytest.mark.parametrize("name", examples())
def test_a_strange_value_anywhere(client: httpx.Client, name: str) -> None:
    """Each place of the example meets a few of the strange values; which, turns from place to place."""
    path, example = examples()[name]
    strange = itertools.cycle(STRANGE)
    for place in places(example):
        for value in itertools.islice(strange, 7):
            assert_answered_or_refused(client, path, json.dumps(replaced(example, place, value)).encode())


@pytest.mark.parametrize("name", examples())
def test_a_member_that_is_missing(client: httpx.Client, name: str) -> None:
    path, example = examples()[name]
    for place in places(example):
        if place:
            *above, last = place
            document = copy.deepcopy(example)
            parent = document
            for key in above:
                parent = parent[key]
            del parent[last]
            assert_answered_or_refused(client, path, json.dumps(document).encode())


@pytest.mark.parametrize("name", examples())
def test_a_body_that_is_cut_off_or_damaged(client: httpx.Client, name: str) -> None:
    path, example = examples()[name]
    whole = json.dumps(example).encode()
    for at in range(0, len(whole), 23):
        for content in (whole[:at], whole[:at] + b"\0" + whole[at:], whole[:at] + b"\xff" + whole[at + 1 :]):
            assert_answered_or_refused(client, path, content)
        assert_answered_or_refused(client, path, whole[:at] + b"}" + whole[at + 1 :])
