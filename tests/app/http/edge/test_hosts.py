"""The header Host, which has to be one of the server's names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.http.edge.served import EdgeServer, edge_server, request

HOSTS = "GRADD_ALLOWED_HOSTS"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LocalHost", "localhost.", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80"]
)
def test_own_names(plain: EdgeServer, host: str) -> None:
    assert plain.ask(request("GET", "/livez", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:8000", "localhost.attacker.example", "notlocalhost", "127.0.0.2", "[::2]"],
)
def test_foreign_names(plain: EdgeServer, host: str) -> None:
    answer = plain.ask(request("GET", "/livez", host=host))
    assert answer.is_problem(421, "misdirected-request")
    assert HOSTS in answer.body.decode()


@pytest.mark.parametrize("host", ["", "a b", "localhost:port", "user@localhost", "http://localhost", "[::1", "\xff"])
def test_what_is_no_host(plain: EdgeServer, host: str) -> None:
    assert plain.ask(request("GET", "/livez", host=host)).is_problem(400, "malformed-request")


def test_a_missing_and_a_doubled_host(plain: EdgeServer) -> None:
    assert plain.ask(request("GET", "/livez", host=None)).is_problem(400, "malformed-request")
    for other in ("localhost", "attacker.example"):
        assert plain.ask(request("GET", "/livez", f"Host: {other}")).is_problem(400, "malformed-request")
    old = plain.ask(b"GET /livez HTTP/1.0\r\n\r\n")
    assert old.status == 200, "HTTP/1.0 has no Host"


def test_the_setting(tmp_path: Path) -> None:
    with edge_server(tmp_path, **{HOSTS: "localhost, gradd.example,*.lab.example"}) as server:
        allowed = {
            host: server.ask(request("GET", "/livez", host=host)).status
            for host in ("gradd.example", "a.b.lab.example:80", "lab.example", "xlab.example", "127.0.0.1", "127.0.0.2")
        }
    # The address of the connection is allowed without being listed.
    assert allowed == dict(zip(allowed, (200, 200, 421, 421, 200, 421), strict=True))


def test_every_host(tmp_path: Path) -> None:
    with edge_server(tmp_path, **{HOSTS: "*"}) as server:
        assert server.ask(request("GET", "/livez", host="anything.example")).status == 200
        assert server.ask(request("GET", "/livez", host=None)).status == 400
