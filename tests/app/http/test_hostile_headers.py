"""Headers, methods and queries with a body of a known form: answered as a server without caches answers them."""

from __future__ import annotations

import gzip

import pytest

from app.examples import XOR
from tests.app.http.served import AS_JSON, Pair
from tests.app.http.test_hostile_forms import GRADIENTS, XOR_TEXT, written

pytestmark = pytest.mark.usefixtures("unhurried")


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
