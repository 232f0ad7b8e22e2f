"""Bodies that break something, in a known form and around it: answered as a server without caches answers them."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest

from app.examples import XOR
from tests.app.http.served import Pair
from tests.app.test_any_body import STRANGE, places, replaced
from tests.server import examples

pytestmark = pytest.mark.usefixtures("unhurried")

GRADIENTS = "/v1/gradients"
KEEPING = ("/v1/jobs", "/v1/datasets", "/v1/models")
COMPUTATIONS = {name: request for name, request in examples().items() if request[0] not in KEEPING}


def written(body: Any, at: tuple[Any, ...] = (), token: str = "") -> bytes:
    """A body as text, with other text in one place."""
    if not at:
        return json.dumps(body).encode()
    changed = copy.deepcopy(body)
    parent = changed
    for key in at[:-1]:
        parent = parent[key]
    parent[at[-1]] = "@@"
    return json.dumps(changed).replace('"@@"', token).encode()


XOR_TEXT = written(XOR)


def assert_a_form_survives(pair: Pair, body: Any, *hostile: bytes) -> None:
    """Send a good request until it is answered directly, a hostile one, and the good one again."""
    for _ in range(3):
        good = pair.post(GRADIENTS, body)
    assert good.status == 200, good.body
    for text in hostile:
        pair.post(GRADIENTS, text, thoroughly=True)
        before = pair.cached.direct
        assert pair.post(GRADIENTS, body) == good
        assert pair.cached.direct == before + 1


NUMBERS = [
    "0", "-0", "-0.0", "0e0", "5e-324", "1e-400", "1e308", "-1e308", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "nan",
    "true", "false", "null", '"1"', '""', "[1]", "[]", "{}", "01", "+1", ".5", "1.", "1e", "0x10", "9007199254740993",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1.7976931348623159e308",
    "123456789012345678901234567890", "0.1000000000000000055511151231257827021181583404541015625", "1" + "0" * 400,
    '{"dtype":"float64","shape":[1],"data":"AAAAAAAA8D8="}',
]  # fmt: skip


@pytest.mark.parametrize(
    "place", [("batch", "inputs", 1, 0), ("parameters", "1", "bias", 2), ("batch", "targets", 3, 0)], ids=str
)
def test_an_odd_number_in_a_tensor(pair: Pair, place: tuple[Any, ...]) -> None:
    assert_a_form_survives(pair, XOR, *(written(XOR, place, token) for token in NUMBERS))


@pytest.mark.parametrize(
    "place",
    [("batch", "inputs", 1), ("batch", "inputs"), ("parameters", "out"), ("parameters", "1", "weight")],
    ids=str,
)
def test_odd_rows(pair: Pair, place: tuple[Any, ...]) -> None:
    rows = [
        "[]", "[[]]", "[1]", "[1,2,3]", "[[1,2],[3]]", "[[1],2]", "null", "{}", '{"dtype":"float64"}', "[null]", '["a"]',
        "[[[1,2]]]", '{"a":[1]}', '{"dtype":"float64","shape":[4,2],"data":"AAAA"}', '{"dtype":1,"shape":":","data":":"}',
        "[" * 9 + "1" + "]" * 9,
    ]  # fmt: skip
    assert_a_form_survives(pair, XOR, *(written(XOR, place, token) for token in rows))


@pytest.mark.parametrize(
    "field",
    [
        "dtype",
        "seed",
        "state",
        "loss",
        "feedback",
        "convention",
        "encoding",
        "include",
        "layers",
        "verify",
        "freeze",
        "model",
        "network",
        "x",
    ],
)
def test_an_odd_field(pair: Pair, field: str) -> None:
    values = [
        "null",
        "true",
        "1",
        "1.5",
        '"x"',
        "[]",
        "{}",
        '{"a":{"b":[1]}}',
        '[{"a":1}]',
        "18446744073709551616",
        "1e400",
        '"a:b"',
        "NaN",
    ]
    assert_a_form_survives(pair, XOR, *(written({**XOR, field: 0}, (field,), value) for value in values))


@pytest.mark.parametrize(
    "place",
    [
        ("loss", "l2"),
        ("loss", "reduction"),
        ("network", "layers", 0, "units"),
        ("network", "layers", 0, "activation"),
        ("batch", "first_label"),
        ("batch", "upstream"),
    ],
    ids=str,
)
def test_an_odd_option(pair: Pair, place: tuple[Any, ...]) -> None:
    values = [
        "null",
        "true",
        "0",
        "-0.0",
        "0.0",
        "3",
        "3.0",
        "1e400",
        "1e308",
        '"tanh"',
        "[]",
        '{"function":"tanh","gain":1e400}',
        "18446744073709551616",
    ]
    assert_a_form_survives(pair, XOR, *(written(XOR, place, value) for value in values))


@pytest.mark.parametrize("path", ["/v1/models", "/v1/gradients", "/v1/check", "/v1/forward"])
def test_shapes_that_broke_this_service_once(pair: Pair, path: str) -> None:
    for padding in ([], [1], [[1]], "same"):
        layer = {"kind": "conv2d", "filters": 6, "kernel_size": 5, "padding": padding}
        body = {"network": {"layers": [layer]}, "parameters": {"1": {"weight": [[0.1]]}}, "batch": {"inputs": {}}}
        pair.post(path, body, thoroughly=True)
        pair.post(path, {**body, "batch": {"inputs": [[[[1]]]]}}, thoroughly=True)


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_a_strange_value_anywhere(pair: Pair, name: str) -> None:
    """Each place of a documented request meets one of the strange values; which, turns from place to place."""
    path, example = COMPUTATIONS[name]
    pair.post(path, example)
    every = 3 if path == "/v1/check" else 1
    for place, value in zip(itertools.islice(places(example), 0, None, every), itertools.cycle(STRANGE), strict=False):
        pair.post(path, json.dumps(replaced(example, place, value), ensure_ascii=False).encode(), thoroughly=True)
    pair.post(path, example)
