"""Many connections at a server that may open few files."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from tests.app.http.edge.served import LIVE, Wire, edge_server, request


def test_silent_connections_do_not_refuse_others(tmp_path: Path) -> None:
    with edge_server(tmp_path, files="1024") as server:
        silent = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(1_100)]
        for _ in range(5):
            assert server.ask(LIVE).status == 200
        assert server.files() < 1024
        for each in silent:
            each.close()


def test_the_longest_idle_one_gives_way(tmp_path: Path) -> None:
    with edge_server(tmp_path, GRADD_MAX_CONNECTIONS="10") as server:
        wires = [server.wire() for _ in range(10)]
        busy, *others = wires
        busy.send(request("GET", "/test/wait?seconds=2"))
        for wire in others[::-1]:  # The last is the one that has been idle longest.
            wire.send(LIVE)
            assert wire.answer().status == 200
        assert server.ask(LIVE).status == 200
        assert others[-1].is_closed()
        for wire in others[:-1]:
            wire.send(LIVE)
            assert wire.answer().status == 200
        assert busy.answer().status == 200, "a connection with a request is not closed"


def test_every_connection_in_use(tmp_path: Path) -> None:
    with edge_server(tmp_path, GRADD_MAX_CONNECTIONS="5") as server:
        wires: list[Wire] = [server.wire() for _ in range(5)]
        for wire in wires:
            wire.send(request("GET", "/test/wait?seconds=3"))
        refused = server.wire()
        with suppress(ConnectionError):
            answer = refused.answer()
            assert answer.is_problem(503, "overloaded")
            assert int(answer.headers["retry-after"]) > 0
        assert [wire.answer().status for wire in wires] == [200] * 5
        assert server.ask(LIVE).status == 200
