"""Bodies of many connections at once, and compressed ones that explode."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.examples import XOR
from tests.app.http.edge.served import LIVE, EdgeServer, Wire, edge_server, request, wait_until

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """A server with room for 8 MiB of bodies in memory, and 16 MiB of uploads."""
    room = {"GRADD_MAX_BYTES_IN_FLIGHT": str(8 * MEGABYTE), "GRADD_MAX_UPLOAD_BYTES": str(16 * MEGABYTE)}
    with edge_server(tmp_path_factory.mktemp("bounded"), **room) as server:
        yield server


def unending(server: EdgeServer, path: str, size: int, *lines: str) -> Wire:
    """Return a connection with a request whose body lacks its last byte."""
    wire = server.wire()
    head = request("POST", path, f"Content-Length: {size}", *lines)
    wire.send(head, b" " * (size - 1))
    return wire


def held(server: EdgeServer) -> int:
    answer = server.ask(request("GET", "/test/read"))
    return int(httpx.Response(200, content=answer.body).json()["held"])


def test_bodies_that_never_end_are_bounded(bounded: EdgeServer) -> None:
    before = bounded.memory()
    first = unending(bounded, "/test/read", 6 * MEGABYTE)
    wait_until(lambda: held(bounded) == 6 * MEGABYTE)
    for _ in range(20):
        wire = bounded.wire()
        wire.send(request("POST", "/test/read", f"Content-Length: {6 * MEGABYTE}"))
        refused = wire.answer()  # Before the body is sent.
        assert refused.is_problem(503, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        wire.send(b" " * 6 * MEGABYTE, LIVE)
        assert wire.answer().status == 200, "the connection goes on behind the body"
    assert held(bounded) == 6 * MEGABYTE
    assert bounded.memory() - before < 30 * MEGABYTE
    assert httpx.post(f"{bounded.address}/v1/gradients", json=XOR).status_code == 200, "small ones have their own room"
    first.send(b" ")
    assert first.answer().status == 200
    assert held(bounded) == 0


def test_chunks_are_counted_as_they_come(bounded: EdgeServer) -> None:
    first = unending(bounded, "/test/read", 6 * MEGABYTE)
    wait_until(lambda: held(bounded) == 6 * MEGABYTE)
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE // 2, b" " * (MEGABYTE // 2))
    wire = bounded.wire()
    wire.send(request("POST", "/test/read", "Transfer-Encoding: chunked"), chunk)
    wait_until(lambda: held(bounded) > 6 * MEGABYTE)
    wire.send(chunk, chunk)
    assert wire.answer().is_problem(503, "overloaded")
    wire.close()
    first.close()  # Whoever goes away gives back what it held.
    wait_until(lambda: held(bounded) == 0)


def test_a_body_larger_than_the_room_has_it_to_itself(bounded: EdgeServer) -> None:
    body = b" " * 10 * MEGABYTE
    assert httpx.post(f"{bounded.address}/test/read", content=body).json()["bytes"] == len(body)


def test_uploads_are_bounded_on_disk(bounded: EdgeServer) -> None:
    upload = "/v1/models/import?format=safetensors"
    first = unending(bounded, upload, 12 * MEGABYTE, "Content-Type: application/octet-stream")
    wait_until(lambda: 0 < held(bounded) <= MEGABYTE)
    second = bounded.wire()
    second.send(request("POST", upload, f"Content-Length: {6 * MEGABYTE}", "Content-Type: application/octet-stream"))
    assert second.answer().is_problem(503, "overloaded")
    first.send(b" ")
    assert 400 <= first.answer().status < 500  # It is no model.
    assert held(bounded) == 0


def test_it_is_alive_while_bombs_are_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b" " * 60 * MEGABYTE, 1) + gzip.compress(b" " * 10 * MEGABYTE, 1)
    statuses: list[int] = []

    def post(path: str) -> None:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        statuses.append(httpx.post(server.address + path, content=bomb, headers=headers, timeout=120).status_code)

    with edge_server(tmp_path) as server:
        threads = [threading.Thread(target=post, args=(path,)) for path in ("/v1/gradients", "/v1/datasets") * 5]
        for thread in threads:
            thread.start()
        alive = 0
        while any(thread.is_alive() for thread in threads):
            assert httpx.get(f"{server.address}/livez", timeout=5).status_code == 200
            alive += 1
            time.sleep(0.01)
        for thread in threads:
            thread.join()
    assert statuses == [413] * 10
    assert alive > 3
