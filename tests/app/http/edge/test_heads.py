"""Heads that are too slow, too large or malformed, sent by bare sockets."""

from __future__ import annotations

import itertools
import socket
import time
from contextlib import suppress

import pytest

from tests.app.http.edge.served import LIVE, EdgeServer, is_alive, request


def drip(wires: list[socket.socket], pieces: bytes) -> None:
    """Send a byte at a time to each, as a slowloris does, until the server has cut all of them off."""
    left = list(wires)
    for byte in itertools.cycle(pieces):
        for wire in list(left):
            try:
                wire.sendall(bytes([byte]))
            except OSError:
                left.remove(wire)
        if not left:
            return
        time.sleep(0.2)


def test_dripping_heads_are_cut_off(edge: EdgeServer) -> None:
    wires = [socket.create_connection(("127.0.0.1", edge.port), timeout=30) for _ in range(100)]
    for wire in wires:
        wire.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
    drip(wires, b"abc")  # It would go on for ever.
    assert is_alive(edge)
    for wire in wires:
        wire.close()


def test_a_late_head_is_answered_with_a_problem(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(LIVE[:20])
    assert wire.answer().is_problem(408, "request-timeout")
    assert wire.is_closed()


def test_a_silent_connection_is_closed(edge: EdgeServer) -> None:
    assert edge.wire().is_closed()


def test_the_next_head_has_a_deadline_of_its_own(edge: EdgeServer) -> None:
    wire = edge.wire()
    for _ in range(3):
        wire.send(LIVE)
        assert wire.answer().status == 200
        time.sleep(0.6)  # Together it is longer than a head may take, and each less than a connection may be idle.
    wire.send(LIVE[:20])
    assert wire.answer().is_problem(408, "request-timeout")
    assert wire.is_closed()


def test_an_idle_connection_is_closed(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(LIVE)
    assert wire.answer().status == 200
    assert wire.is_closed()


@pytest.mark.parametrize(
    "fields",
    [
        b"X: " + b"a" * 2**20,
        b"X: " + b"a" * 40_000 + b"\r\n\r\n",
        b"".join(b"X%d: 1\r\n" % number for number in range(5_000)) + b"\r\n",
        b"".join(b"X: 1\r\n" for _ in range(101)) + b"\r\n",
        b"".join(b"X%d: %s\r\n" % (number, b"a" * 500) for number in range(80)) + b"\r\n",
    ],
    ids=["one of 1 MB", "one of 40 kB", "5000", "101", "80 of 500 bytes"],
)
def test_a_head_that_is_too_large(edge: EdgeServer, fields: bytes) -> None:
    wire = edge.wire()
    with suppress(ConnectionError):
        wire.send(LIVE[:-2], fields)
    assert wire.answer().is_problem(431, "head-too-large")


def test_a_target_that_is_too_long(edge: EdgeServer) -> None:
    assert edge.ask(request("GET", "/livez?" + "a" * 40_000)).is_problem(431, "head-too-large")
    assert edge.ask(b"GET /" + b"a" * 2**20).is_problem(431, "head-too-large")


def test_a_head_within_the_limits(edge: EdgeServer) -> None:
    fields = [f"X{number}: {'a' * 300}" for number in range(95)]
    assert edge.ask(request("GET", "/livez", *fields)).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n folded: 1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n",
        request("POST", "/v1/gradients", "Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        request("POST", "/v1/gradients", "Content-Length: 2", "Content-Length: 3") + b"{} ",
        request("POST", "/v1/gradients", "Content-Length: -2") + b"{}",
        request("POST", "/v1/gradients", "Transfer-Encoding: chunked") + b"no size\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_a_malformed_request(edge: EdgeServer, data: bytes) -> None:
    wire = edge.wire()
    wire.send(data)
    answer = wire.answer()
    assert answer.is_problem(400, "malformed-request")
    assert answer.headers["connection"] == "close"
    assert wire.is_closed()


def test_a_bad_chunk_after_a_good_one(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(request("POST", "/test/read", "Transfer-Encoding: chunked"), b"2\r\n{}\r\n")
    time.sleep(0.3)
    wire.send(b"zz\r\n")
    assert wire.answer().is_problem(400, "malformed-request")
    assert wire.is_closed()


def test_a_malformed_request_after_one_that_is_being_answered(edge: EdgeServer) -> None:
    """The answer to the first is whole, and the refusal comes after it."""
    wire = edge.wire()
    wire.send(request("GET", "/test/wait?seconds=0.5") + b"nonsense\r\n\r\n")
    assert wire.answer().body == b'{"waited":true}'
    assert wire.answer().is_problem(400, "malformed-request")
    assert wire.is_closed()


def test_an_endless_head_behind_a_request(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(request("GET", "/test/wait?seconds=0.5"), LIVE[:-2] + b"X: ")
    with suppress(ConnectionError):
        for _ in range(100):
            wire.send(b"a" * 10_000)
    assert wire.answer().body == b'{"waited":true}'
    assert wire.answer().is_problem(431, "head-too-large")


def test_endless_trailers(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(request("POST", "/test/read", "Transfer-Encoding: chunked"), b"2\r\n{}\r\n0\r\nX: ")
    with suppress(ConnectionError):
        for _ in range(100):
            wire.send(b"a" * 10_000)
    assert wire.answer().status in (400, 431)


def test_pipelined_requests_are_answered_in_order(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(request("GET", "/test/wait?seconds=0.2") + LIVE + request("GET", "/nothing") + LIVE)
    assert [wire.answer().status for _ in range(4)] == [200, 200, 404, 200]


def test_requests_in_pieces(edge: EdgeServer) -> None:
    wire = edge.wire()
    for _ in range(3):
        for start in range(0, len(LIVE), 7):
            wire.send(LIVE[start : start + 7])
            time.sleep(0.01)
        assert wire.answer().body == b'{"status":"alive"}'
