"""A server that needs keys, and clients with keys."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.access.repository import create_key
from app.access.scopes import DEFAULT_SCOPES
from app.examples import XOR
from app.http.caller import UNLIMITED, Quota
from app.jobs.examples import JOBS
from app.storage import Database

PATIENCE = 120
MODEL = {key: XOR[key] for key in ("network", "parameters", "convention")}
DATASET = {"inputs": [[0.0, 0.0], [0.0, 1.0]], "targets": [[0.0], [1.0]]}
JOB = JOBS["xor"]["value"]


@dataclass
class Keyed:
    """A server of its own that needs keys. It has no worker, so jobs stay in the queue."""

    base: str
    database: Database
    log: Path
    secrets: list[str]
    clients: list[httpx.Client]
    """Clients that are closed with the server."""

    def client(self, scopes: Any = DEFAULT_SCOPES, quota: Quota = UNLIMITED) -> httpx.Client:
        """A client with a key of its own."""
        row, text = create_key(self.database, "test", scopes, quota)
        self.secrets.append(text.rpartition("_")[2])
        headers = {"Authorization": f"Bearer {text}", "X-Key-Id": row.id}
        return self._opened(headers)

    def anonymous(self) -> httpx.Client:
        """A client without a key."""
        return self._opened({})

    def _opened(self, headers: dict[str, str]) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=self.base, headers=headers, timeout=PATIENCE))
        return self.clients[-1]


@contextmanager
def keyed_server(address: str, folder: Path) -> Iterator[Keyed]:
    """A server, for as long as the block lasts."""
    database = Database(address)
    database.migrate()
    log = folder / "log.txt"
    environment = {
        **os.environ,
        "GRADD_DATA_DIR": str(folder),
        "GRADD_DATABASE_URL": address,
        "GRADD_AUTHENTICATION": "required",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--no-worker", "--access-log"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            keyed = Keyed(_address_in(log, process), database, log, [], [])
            yield keyed
            for client in keyed.clients:
                client.close()
        finally:
            process.terminate()
            process.wait(PATIENCE)
            database.close()


def _address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"open (http://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def made(response: httpx.Response) -> str:
    """The id of what a request has made."""
    assert response.status_code in (200, 201, 202), response.text
    return str(response.json()["id"])
