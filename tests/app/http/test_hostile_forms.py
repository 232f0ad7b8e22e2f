"""Bodies that break something, in a known form and around it: answered as a server without caches answers them."""

from __future__ import annotations

import copy
import gzip
import itertools
import json
from typing import Any

import pytest

from app.examples import XOR
from tests.app.http.served import AS_JSON, Pair
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
CLASSES: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 3}]},
    "parameters": {"1": {"weight": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "bias": [0.1, 0.2, 0.3]}},
    "batch": {"inputs": [[1, 2], [3, 4], [5, 6], [7, 8]], "targets": [0, 1, 2, 1], "sample_weight": [1, 2, 3, 2]},
    "loss": {"kind": "softmax_cross_entropy"},
}


def assert_a_form_survives(pair: Pair, body: Any, *hostile: bytes) -> None:
    """Send a good request until it is answered directly, a hostile one twice, and the good one again."""
    for _ in range(3):
        good = pair.post(GRADIENTS, body)
    assert good.status == 200, good.body
    for text in hostile:
        for _ in range(2):
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


TEXTS: dict[str, bytes] = {
    "a name twice": XOR_TEXT.replace(b'"convention"', b'"dtype": "float32", "dtype": "float64", "convention"'),
    "a tensor twice": XOR_TEXT.replace(b'"bias": [0.05]', b'"bias": [0.5], "bias": [0.05]'),
    "a tensor twice, and a colon less": XOR_TEXT.replace(b'"bias": [0.05]', b'"bias": [0.5], "bias": [0.05]').replace(
        b'"reduction": "mean"', b'"reduction" "mean"'
    ),
    "a name twice, and a colon in a text": XOR_TEXT.replace(b'"out"', b'"o:t"').replace(
        b'"bias": [0.05]', b'"bias": [0.5], "bias": [0.05]'
    ),
    "a name with a colon": XOR_TEXT.replace(b'"out"', b'"o:t"'),
    "an escaped name": XOR_TEXT.replace(b'"batch"', rb'"b\u0061tch"'),
    "an escaped name twice": XOR_TEXT.replace(b'"dtype"', b"").replace(b'"loss"', rb'"l\u006fss": {}, "loss"'),
    "half a surrogate": XOR_TEXT.replace(b'"out"', rb'"\ud800"'),
    "a null character": XOR_TEXT.replace(b'"out"', b'"o\0t"'),
    "an escaped null character": XOR_TEXT.replace(b'"out"', rb'"o\u0000t"'),
    "bad UTF-8": XOR_TEXT.replace(b'"out"', b'"o\xfft"'),
    "overlong UTF-8": XOR_TEXT.replace(b'"out"', b'"o\xc0\x80t"'),
    "a mark": b"\xef\xbb\xbf" + XOR_TEXT,
    "UTF-16": XOR_TEXT.decode().encode("utf-16"),
    "UTF-16 without a mark": XOR_TEXT.decode().encode("utf-16-le"),
    "garbage behind": XOR_TEXT + b"x",
    "two documents": XOR_TEXT + XOR_TEXT,
    "a comma behind": XOR_TEXT[:-1] + b",}",
    "cut off": XOR_TEXT[:-1],
    "white space": b" \n\t\r" + XOR_TEXT.replace(b", ", b" \n,\t") + b"\n",
    "other white space": XOR_TEXT.replace(b", ", b",\xc2\xa0"),
    "nothing": b"",
    "spaces": b"   ",
    "a list": b"[" + XOR_TEXT + b"]",
    "a text": b'"a"',
    "null": b"null",
    "a comment": XOR_TEXT.replace(b", ", b", /* */ ", 1),
    "quotes": XOR_TEXT.replace(b'"', b"'"),
    "nested lists": written({**XOR, "x": json.loads("[" * 70 + "]" * 70)}),
    "nested objects": written({**XOR, "x": json.loads('{"a":' * 70 + "1" + "}" * 70)}),
    "very deep": XOR_TEXT[:-1] + b', "x": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    "a long name": written({**XOR, "x" * 201: 1}),
    "the longest name": written({**XOR, "x" * 200: 1}),
    "a long name of a layer": written({**XOR, "parameters": {**XOR["parameters"], "é" * 201: {"bias": [1]}}}),
    "a long name of a parameter": written({**XOR, "parameters": {"1": {"y" * 300: [1]}}}),
    "the other order": written(dict(reversed(XOR.items()))),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_an_odd_text(pair: Pair, name: str) -> None:
    assert_a_form_survives(pair, XOR, TEXTS[name])


@pytest.mark.parametrize(
    "targets",
    [
        "[0,1,2,3]",
        "[0,1,2,-1]",
        "[0.5,1,2,0]",
        "[1e300,0,0,0]",
        "[2,2,2,2]",
        "[-0.0,1,2,0]",
        "[[0],[1],[2],[1]]",
        "[[0],[1],[2],[1.5]]",
        "[0,1,2]",
        "[[0,1,2,1]]",
        "[1,1,1,null]",
        "3",
    ],
)
def test_targets_that_are_no_classes(pair: Pair, targets: str) -> None:
    assert_a_form_survives(pair, CLASSES, written(CLASSES, ("batch", "targets"), targets))


@pytest.mark.parametrize(
    "weights",
    [
        "[0,0,0,0]",
        "[1,-1,1,1]",
        "[-0.0,1,2,3]",
        "[0.0,1,2,3]",
        "[1e308,1e308,1e308,1e308]",
        "[5e-324,0,0,0]",
        "[1,2,3]",
        "[[1,2,3,2]]",
        "[2,4,6,4]",
        "null",
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_odd_sample_weights(pair: Pair, weights: str, dtype: str) -> None:
    body = {**CLASSES, "dtype": dtype}
    assert_a_form_survives(pair, body, written(body, ("batch", "sample_weight"), weights))


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "half_squared_error"])
def test_a_weight_of_negative_zero(pair: Pair, loss: str) -> None:
    """The share -0.0 equals 0.0, and makes deltas of other bits."""
    body = copy.deepcopy(CLASSES)
    body["loss"]["kind"] = loss
    body["batch"]["targets"] = [[0.2, 0.3, 0.5]] * 4
    answers = []
    for weights in ("[0.0,1,2,3]", "[0.0,1,2,3]", "[-0.0,1,2,3]", "[-0.0,1,2,3]", "[0.0,1,2,3]"):
        answers.append(pair.post(GRADIENTS, written(body, ("batch", "sample_weight"), weights)))
    assert answers[0] == answers[4] != answers[2]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", ["1e30", "1e39", "1e160", "1e308", "-1e308", "1e-320"])
def test_overflow_inside(pair: Pair, dtype: str, number: str) -> None:
    body = {**XOR, "dtype": dtype, "include": ["loss", "output", "gradients", "input_gradient"]}
    row = f"[[{number},{number},{number}],[{number},1,-{number.lstrip('-')}]]"
    places = [
        (("parameters", "1", "weight"), row),
        (("parameters", "out", "bias"), f"[{number}]"),
        (("batch", "inputs", 0), f"[{number},{number}]"),
    ]
    assert_a_form_survives(pair, body, *(written(body, place, token) for place, token in places))


def with_headers(**changed: str | None) -> list[tuple[bytes, bytes]]:
    given = {"content_type": "application/json", **changed}
    found = {name: value for name, value in given.items() if value is not None}
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in found.items()]


HEADERS = [
    with_headers(content_type="text/plain"), with_headers(content_type=None), with_headers(content_type=""),
    with_headers(content_type="application/json; charset=utf-8"), with_headers(accept="text/html"),
    with_headers(accept=""), with_headers(accept="\xff"), with_headers(accept="application/json;q=0"),
    with_headers(accept="application/vnd.gradd+safetensors"), with_headers(accept_encoding="gzip"),
    with_headers(accept_encoding="zstd"), with_headers(accept_encoding="gzip;q=0, *"), with_headers(accept_encoding=""),
    with_headers(content_encoding="gzip"), with_headers(content_encoding="identity"), with_headers(content_encoding="br"),
    [*AS_JSON, *AS_JSON], [*AS_JSON, (b"content-type", b"text/plain")], [*AS_JSON, (b"x", b"1"), (b"x", b"2")],
    [*AS_JSON, (b"accept", b"text/html"), (b"accept", b"*/*")],
]  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_other_headers(pair: Pair, headers: list[tuple[bytes, bytes]]) -> None:
    body = {**XOR, "include": ["loss", "output", "activations", "deltas", "gradients", "norms"]}  # Worth compressing.
    for _ in range(3):
        good = pair.post(GRADIENTS, body)
    for content in (written(body), gzip.compress(written(body), mtime=0)):
        for _ in range(2):
            pair.post(GRADIENTS, content, headers)
    assert pair.post(GRADIENTS, body) == good


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", GRADIENTS, "a=1"),
        ("POST", GRADIENTS + "/", ""),
        ("PUT", GRADIENTS, ""),
        ("HEAD", GRADIENTS, ""),
        ("GET", GRADIENTS, ""),
        ("OPTIONS", GRADIENTS, ""),
    ],
)
def test_around_the_path(pair: Pair, method: str, path: str, query: str) -> None:
    for _ in range(3):
        pair.post(GRADIENTS, XOR)
    answers = [served.post(path, XOR_TEXT, method=method, query=query) for served in (pair.cached, pair.plain)]
    assert answers[0] == answers[1]


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
