"""Servers in processes of their own: start, stop, processor time and memory. Reads /proc, which Linux has."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
PROC = Path("/proc")
START_SECONDS = 60.0
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Server:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = process
        self._files = PROC / str(process.pid)

    def processor_seconds(self) -> float:
        """Return the processor time of all threads until now."""
        # The name of the program is in parentheses and may hold spaces; utime is the 14th field, stime the 15th.
        fields = (self._files / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, field: str = "VmRSS") -> int:
        """Return the bytes of memory that are resident, or with VmHWM those that were at most."""
        lines = (self._files / "status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

    def forget_peak(self) -> bool:
        """Let VmHWM begin again at what is resident now. Returns whether the system allows it."""
        try:
            (self._files / "clear_refs").write_text("5")
        except OSError:
            return False
        return True

    def wait_until_idle(self, seconds: float = 20.0) -> None:
        """Wait for the requests that a client gave up, so that they do not slow down whoever is measured next."""
        end, before = time.monotonic() + seconds, -1.0
        while (now := self.processor_seconds()) != before and time.monotonic() < end:
            before = now
            time.sleep(0.1)


@contextmanager
def gradd() -> Iterator[Server]:
    """Serve gradd as its command does, with a folder of data that is removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        command = ["app.cli", "serve", "--port", str(port), "--no-worker"]
        with _running(command, port, {"GRADD_DATA_DIR": folder}) as server:
            yield server


@contextmanager
def peer(name: str) -> Iterator[Server]:
    """Serve a module of bench/peers as gradd is served: uvicorn, one process, no log of the requests."""
    port = _free_port()
    command = ["uvicorn", f"bench.peers.{name}:app", "--host", HOST, "--port", str(port), "--no-access-log"]
    with _running([*command, "--log-level", "warning", "--no-server-header"], port, {}) as server:
        yield server


@contextmanager
def _running(command: list[str], port: int, settings: Mapping[str, str]) -> Iterator[Server]:
    environment = {**os.environ, **_ONE_THREAD, **settings}
    with subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            _wait_for(process, port)
            yield Server(process, port)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return once the server accepts connections, which it does after its start is complete."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve on port {port}; its messages are above")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])
