"""A server that may be killed and started again at the same address, and the figures of its processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx

START_SECONDS = 120


class ServerProcess:
    """A gradd server at a fixed address, as a block: `with ServerProcess(...) as server`."""

    def __init__(self, **settings: str) -> None:
        """Prepare a server; settings are GRADD_* variables."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._settings = settings
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(self._port), "--log-level", "error"]
        return subprocess.Popen(command, env={**os.environ, **self._settings}, stderr=subprocess.DEVNULL)

    def __enter__(self) -> ServerProcess:
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                httpx.get(f"{self.address}/livez", timeout=30)
                return
            time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start it again, after `kill`."""
        self.process = self._started()


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def kill(pid: int) -> bool:
    """End a process as kill -9 does. Returns whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def resident_bytes(pid: int) -> int:
    """Return the memory of a process that is in use (RSS)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def thread_count(pid: int) -> int:
    """Return the number of threads of a process."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def open_files(pid: int) -> int:
    """Return the number of open files and connections of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
