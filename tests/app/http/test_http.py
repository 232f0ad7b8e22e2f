"""HTTP itself, over a bare socket where a client would not send such things."""

from __future__ import annotations

import gzip
import json
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest
import zstandard

from app.examples import XOR
from tests.server import JSON, operations, refused

BODY = json.dumps(XOR).encode()


def exchanged(server: str, *parts: bytes) -> httpx.Response:
    """What a server answers to these bytes."""
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=20) as connection:
        received = b""
        try:
            for part in parts:
                connection.sendall(part)
        except OSError:  # It has answered and closed before everything was sent.
            pass
        try:
            while piece := connection.recv(2**16):
                received += piece
        except ConnectionResetError:
            pass
    head, _, content = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=content)


def head(method: str, path: str, *lines: str) -> bytes:
    start = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", "X-Request-Id: the-request"]
    return "\r\n".join([*start, *lines, "", ""]).encode("latin-1")


def posted(*lines: str) -> bytes:
    return head("POST", "/v1/gradients", "Content-Type: application/json", *lines)


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def test_a_chunked_body_is_read(server: str) -> None:
    halves = chunks(BODY[:100], BODY[100:]) + b"0\r\n\r\n"
    assert exchanged(server, posted("Transfer-Encoding: chunked"), halves).status_code == 200


def test_a_chunked_body_is_counted(server: str) -> None:
    pieces = [chunks(b" " * 2**20)] * 70
    refused(exchanged(server, posted("Transfer-Encoding: chunked"), *pieces), 413, "too-large")


def test_an_announced_size_is_refused_before_it_is_sent(server: str) -> None:
    refused(exchanged(server, posted(f"Content-Length: {10**15}")), 413, "too-large")


def test_a_request_that_expects_to_be_asked_for_its_body(server: str) -> None:
    response = exchanged(server, posted("Expect: 100-continue", f"Content-Length: {len(BODY)}"), BODY)
    assert response.status_code == 100
    assert response.content.startswith(b"HTTP/1.1 200")


def test_a_body_of_nothing(server: str) -> None:
    refused(exchanged(server, posted()), 400, "malformed-json")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -5",),
        ("Content-Length: five",),
        ("Content-Length: ²",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ],
)
def test_a_length_that_means_nothing(server: str, lines: tuple[str, ...]) -> None:
    assert exchanged(server, posted(*lines), b"{}   ").status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", sorted({path for _, path, _ in operations()}))
def test_a_method_that_an_address_does_not_take(client: httpx.Client, method: str, path: str) -> None:
    """405 wins over whatever is wrong with the body, and names the methods that there are. OPTIONS asks for nothing else."""
    takes = {own for own, other, _ in operations() if re.fullmatch(re.sub("{[^}]*}", "[^/]+", other), path)}
    address = path.replace("{slug}", "too-large")
    takes |= {"OPTIONS"} | ({"HEAD"} if "GET" in takes else set())
    if method in takes - {"OPTIONS"}:
        return
    response = client.request(method, address, content=b"{", headers={"Content-Type": "text/csv"})
    if method == "OPTIONS":
        assert (response.status_code, response.content) == (204, b"")
    elif method == "HEAD":
        assert (response.status_code, response.content) == (405, b"")
    else:
        refused(response, 405, "method-not-allowed")
    assert set(response.headers["allow"].split(", ")) == takes


@pytest.mark.parametrize(
    "path",
    ["/v1/", "//v1", "/v1/gradients/", "/%00", "/%ff", "/docs/nothing.js", "/docs/..%2f..%2fapp%2fmain.py",
     "/playground/..%2fpage.js", "/playground/nothing", "/problems/nothing", "/problems/%3Cscript%3E", "/redoc",
     "/" + "a" * 30_000],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_there_is_not(server: str, method: str, path: str) -> None:
    response = exchanged(server, head(method, path))
    if response.status_code == 405:  # A page; it does not take POST.
        assert method == "POST"
        return
    document = refused(response, 404, "not-found")
    assert document.instance.isascii()
    assert len(response.content) < 5_000


ACCEPTED = ["*/*", "application/*", "text/html, */*;q=0.1", "Application/JSON", ""]
NOT_ACCEPTED = ["text/html", "application/json;q=0", "application/json;q=0.0, text/html", "text/*", ";;,q=\xff"]


@pytest.mark.parametrize(
    ("header", "status"), [(header, 200) for header in ACCEPTED] + [(header, 406) for header in NOT_ACCEPTED]
)
def test_what_a_client_accepts(server: str, header: str, status: int) -> None:
    response = exchanged(server, posted(f"Accept: {header}", f"Content-Length: {len(BODY)}"), BODY)
    assert response.status_code == status
    if status == 406:
        refused(response, 406, "not-acceptable")


@pytest.mark.parametrize(
    "header",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", "", "\xff", "application/jsonx"],
)
def test_a_body_of_another_kind(server: str, header: str) -> None:
    request = head("POST", "/v1/gradients", f"Content-Type: {header}", f"Content-Length: {len(BODY)}")
    refused(exchanged(server, request, BODY), 415, "unsupported-media-type")


@pytest.mark.parametrize("header", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"])
def test_a_body_announced_as_json(client: httpx.Client, header: str) -> None:
    assert client.post("/v1/gradients", content=BODY, headers={"Content-Type": header}).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "zstd", "x-gzip", "GZIP"])
def test_a_compressed_body(client: httpx.Client, coding: str) -> None:
    content = zstandard.compress(BODY) if coding == "zstd" else gzip.compress(BODY)
    response = client.post("/v1/gradients", content=content, headers={**JSON, "Content-Encoding": coding})
    assert response.content == client.post("/v1/gradients", content=BODY, headers=JSON).content


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_compressed_body_that_is_damaged(client: httpx.Client, coding: str) -> None:
    content = zstandard.compress(BODY) if coding == "zstd" else gzip.compress(BODY)
    middle = len(content) // 2
    damaged = [b"", BODY, content[:-1], content[:middle], content + b"x", content[:4] + b"\xff" * 8 + content[12:]]
    for body in damaged:
        refused(client.post("/v1/gradients", content=body, headers={**JSON, "Content-Encoding": coding}), 400)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "gzip, zstd", "\xff"])
def test_a_body_compressed_in_a_way_that_is_not_known(server: str, coding: str) -> None:
    request = posted(f"Content-Encoding: {coding}", f"Content-Length: {len(BODY)}")
    refused(exchanged(server, request, BODY), 415, "unsupported-media-type")


def test_a_request_is_answered_after_others_were_broken_off(server: str, client: httpx.Client) -> None:
    address = urlsplit(server)
    for part in (b"", b"POST /v1/gra", posted("Content-Length: 100"), posted("Content-Length: 100") + b"{"):
        with socket.create_connection((str(address.hostname), int(address.port or 80))) as connection:
            connection.sendall(part)
    whole = posted(f"Content-Length: {len(BODY)}") + BODY
    with socket.create_connection((str(address.hostname), int(address.port or 80))) as connection:
        connection.sendall(whole)  # And nobody waits for the answer.
    assert client.post("/v1/gradients", json=XOR).status_code == 200
