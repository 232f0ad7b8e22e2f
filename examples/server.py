"""A gradd server of one's own, for as long as a `with` block lasts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx


@contextmanager
def running_server(**settings: str) -> Iterator[str]:
    """The address of a server that is started for the block and stopped after it; settings are GRADD_* variables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port), "--log-level", "warning"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, env={**os.environ, "GRADD_DATA_DIR": folder, **settings})  # noqa: S603  (our own command)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{address}/livez")
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")
