"""How requests end: after a defect, and when the server stops."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.http.edge.served import LIVE, EdgeServer, edge_server, request


@pytest.mark.parametrize("body", [b"", b" " * 100, b" " * 2**20], ids=["no body", "small", "large"])
def test_a_connection_survives_a_defect(edge: EdgeServer, body: bytes) -> None:
    wire = edge.wire()
    for _ in range(3):
        wire.send(request("POST", "/test/fail", body=body))
        answer = wire.answer()
        assert answer.is_problem(500, "internal-error")
        assert "connection" not in answer.headers
    wire.send(LIVE)
    assert wire.answer().status == 200
    log = (edge.folder / "log").read_text()
    assert "RuntimeError: a defect" in log


def test_half_an_answer_does_not_look_whole(edge: EdgeServer) -> None:
    wire = edge.wire()
    wire.send(request("GET", "/test/fail_midway"))
    assert not wire.rest().endswith(b"0\r\n\r\n")


def test_head_is_get_without_a_body(edge: EdgeServer) -> None:
    wire = edge.wire()
    for path, status in (
        ("/livez", 200),
        ("/v1", 200),
        ("/nothing", 404),
        ("/v1/gradients", 405),
        ("/test/listen", 200),
    ):
        wire.send(request("HEAD", path))
        head = wire._until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d" % status), head
    wire.send(LIVE)
    assert wire.answer().body == b'{"status":"alive"}'


def test_options_names_the_methods(edge: EdgeServer) -> None:
    answer = edge.ask(request("OPTIONS", "/v1/models"))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert edge.ask(request("OPTIONS", "/nothing")).is_problem(404, "not-found")


@pytest.fixture(params=["httptools", "h11"])
def ending(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EdgeServer]:
    """A server that gives requests two seconds when it stops."""
    with edge_server(tmp_path, request.param) as server:
        yield server


def test_requests_end_with_the_server(ending: EdgeServer) -> None:
    kept, quick, slow, events, sending = (ending.wire() for _ in range(5))
    kept.send(LIVE)
    assert kept.answer().status == 200
    quick.send(request("GET", "/test/wait?seconds=1"))
    slow.send(request("GET", "/test/wait?seconds=60"))
    events.send(request("GET", "/test/listen"))
    assert b"200 OK" in events._until(b"\r\n\r\n")
    sending.send(request("POST", "/test/read", f"Content-Length: {2**20}"), b" " * 1000)
    time.sleep(0.3)
    ending.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    kept.send(LIVE)  # On its way when the server stopped.
    last = kept.answer()
    assert (last.status, last.headers["connection"]) == (200, "close")
    assert kept.is_closed()
    finished = quick.answer()
    assert (finished.status, finished.headers["connection"]) == (200, "close")
    for wire in (slow, sending):
        cut = wire.answer()
        assert cut.is_problem(503, "not-ready")
        assert cut.headers["connection"] == "close"
    assert events.rest().endswith(b"0\r\n\r\n"), "a stream of events ends"
    assert ending.process.wait(20) in (0, -signal.SIGTERM)
    assert "Traceback" not in (ending.folder / "log").read_text()
