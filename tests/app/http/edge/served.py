"""Servers and bare connections of the tests of the edge."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson

from app.http.problem_types import PROBLEM_TYPES

PATIENCE = 60
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def is_problem(self, status: int, slug: str) -> bool:
        """Return whether it is that refusal, in the one shape."""
        document = orjson.loads(self.body)
        assert self.headers["content-type"] == "application/problem+json", self
        assert (document["type"], document["status"]) == (f"/problems/{slug}", self.status), self
        assert list(document) == ["type", "title", "status", "detail", "instance", "errors"]
        return self.status == status == PROBLEM_TYPES[slug].status


class Wire:
    """A bare connection."""

    def __init__(self, port: int, timeout: float = PATIENCE) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._left = b""

    def send(self, *data: bytes) -> None:
        for piece in data:
            self.socket.sendall(piece)

    def answer(self) -> Answer:
        """Return the next answer; the rest is kept."""
        head = self._until(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self._until(b"\r\n").strip(), 16):
                body += self._bytes(size + 2)[:-2]
            self._bytes(2)
        else:
            body = self._bytes(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Wait until the server has closed, and return whether it sent nothing more and did not reset the connection."""
        return self._left + self.rest() == b""

    def rest(self) -> bytes:
        """Everything until the server closes."""
        received = b""
        while piece := self.socket.recv(2**16):
            received += piece
        return received

    def close(self) -> None:
        self.socket.close()

    def __del__(self) -> None:
        self.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self._left:
            self._more()
        found, _, self._left = self._left.partition(end)
        return found + end

    def _bytes(self, count: int) -> bytes:
        while len(self._left) < count:
            self._more()
        found, self._left = self._left[:count], self._left[count:]
        return found

    def _more(self) -> None:
        piece = self.socket.recv(2**16)
        if not piece:
            raise EOFError(f"the server closed after {self._left!r}")
        self._left += piece


@dataclass
class EdgeServer:
    """A running server."""

    process: subprocess.Popen[str]
    port: int
    folder: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wire(self) -> Wire:
        return Wire(self.port)

    def ask(self, *data: bytes) -> Answer:
        """Send bytes on a connection of their own, and return the answer."""
        wire = self.wire()
        try:
            wire.send(*data)
            return wire.answer()
        finally:
            wire.close()

    def files(self) -> int:
        """Number of files that the server has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self) -> int:
        """Bytes of memory that the server takes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def edge_server(folder: Path, parser: str = "httptools", files: str = "", **variables: str) -> Iterator[EdgeServer]:
    """Start a server for the block: `parser` is httptools or h11, `files` the number of files it may open."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (int(files), int(files)))) if files else None
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.app.http.edge.program", parser],
            env={**os.environ, "GRADD_DATA_DIR": str(folder / "data"), **variables},
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            preexec_fn=limit,
        )
    try:
        assert process.stdout
        port = int(process.stdout.readline() or pytest_fail(log))
        server = EdgeServer(process, port, folder)
        wait_until(lambda: is_alive(server))
        yield server
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def pytest_fail(log: Path) -> str:
    raise AssertionError(log.read_text())


def is_alive(server: EdgeServer) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{server.address}/livez", timeout=5).status_code == 200
    return False


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def request(method: str, path: str, *lines: str, body: bytes = b"", host: str | None = "localhost") -> bytes:
    """Return a request as bytes, with a length if it has a body."""
    fields = [f"Host: {host}"] if host is not None else []
    fields += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, *lines, "", ""]).encode("latin-1") + body
