"""X-Request-Id: taken or given, and the same in the header and in a refusal."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest

from app.examples import XOR
from tests.app.http.test_http import exchanged
from tests.server import JSON, refused

GIVEN = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("identity", ["a", "A-z_0.9", "x" * 128, str(uuid.UUID(int=7))])
def test_a_valid_id_is_taken(client: httpx.Client, identity: str) -> None:
    for response in (
        client.get("/v1", headers={"X-Request-Id": identity}),
        client.post("/v1/gradients", json=XOR, headers={"X-Request-Id": identity}),
        client.post("/v1/gradients", json=XOR, headers={"X-Request-Id": identity}),
    ):
        assert response.status_code == 200
        assert response.headers.get_list("x-request-id") == [identity]
        assert identity == "a" or identity.encode() not in response.content


@pytest.mark.parametrize(
    "identity", ["", "a b", "x" * 129, "a\tb", 'a"b', "<script>", "a/../b", "ä", "a;b", "a%0d%0ab"]
)
def test_any_other_is_replaced(client: httpx.Client, identity: str) -> None:
    headers = [(b"x-request-id", identity.encode())]
    found = {client.get("/livez", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(found) == 2
    assert all(GIVEN.fullmatch(each) for each in found)


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/no/such/path", b"", 404),
        ("GET", "/v1/gradients", b"", 405),
        ("POST", "/v1/gradients", b"{", 400),
        ("POST", "/v1/gradients", b"{}", 422),
        ("GET", "/v1/models/mdl_000000000000000000000000", b"", 404),
        ("GET", "/v1/models?limit=x", b"", 422),
    ],
)
def test_a_refusal_names_its_request(client: httpx.Client, method: str, path: str, content: bytes, status: int) -> None:
    response = client.request(method, path, content=content, headers=JSON)
    identity = response.headers["x-request-id"]
    assert GIVEN.fullmatch(identity)
    assert refused(response, status).instance == f"{path.partition('?')[0]}#request-{identity}"


def test_a_body_that_does_not_arrive_has_one_too(server: str) -> None:
    head = (
        b"POST /v1/gradients HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Request-Id: late-1\r\n"
    )
    response = exchanged(server, head + b"Content-Length: 5000000000\r\n\r\n")
    assert refused(response, 413, "too-large").instance == "/v1/gradients#request-late-1"
    assert response.headers["x-request-id"] == "late-1"
