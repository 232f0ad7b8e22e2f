"""`gradd serve`: the page to open, and the log."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from app import VERSION
from app.cli.serving import address_of
from tests.app.cli.terminal import GRADD, terminal

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("option", [(), ("--access-log",)])
def test_requests_are_logged_on_demand(tmp_path: Path, option: tuple[str, ...]) -> None:
    command = [*GRADD, "serve", "--port", "0", "--no-worker", *option]
    with terminal(command, tmp_path, columns=120) as screen:
        screen.wait_for("stop with Ctrl-C)\n")
        address = screen.text.split("open ")[1].split()[0]
        assert httpx.get(f"{address}/livez").status_code == 200
        assert httpx.get(f"{address}/docs").status_code == 200
        screen.press_control_c()
        assert screen.status() == 0, screen.text
    first, *lines = screen.text.splitlines()
    assert first == f"gradd {VERSION}: open {address} (docs at /docs, stop with Ctrl-C)"
    assert lines.pop() == "gradd has stopped."
    requests = [line for line in lines if "GET " in line]
    assert [line.split('"')[1].split()[1] for line in requests] == (["/livez", "/docs"] if option else [])
    assert [line for line in lines if line not in requests] in (["^C"], [""], [])


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "http://localhost:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("192.0.2.1", "http://192.0.2.1:8000"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, address: str) -> None:
    assert address_of(host, 8000) == address


def test_a_port_that_is_taken_ends_the_command(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with terminal([*GRADD, "serve", "--port", str(port)], tmp_path, columns=120) as screen:
            assert screen.status() == 3
    assert "open http" not in screen.text
    assert f"--port {port + 1}" in screen.text
