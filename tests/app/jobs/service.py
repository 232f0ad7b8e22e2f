"""Servers and workers for the tests: real processes on a real database, which may be killed and frozen."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from examples.server import running_server

PATIENCE = 120
"""Seconds after which something that should have happened is taken not to happen."""

LEASE = "2"


class WorkerProcess:
    """One worker, and the process that trains its job."""

    def __init__(self, address: str, **settings: str) -> None:
        self.executor = secrets.token_hex(8)
        environment = {**os.environ, "GRADD_DATABASE_URL": address, "GRADD_LEASE_SECONDS": LEASE, **settings}
        command = [sys.executable, "-m", "app.worker", self.executor]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def children(self) -> list[int]:
        """The processes that it has started."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in path.read_text().split()] if path.exists() else []

    def kill(self) -> None:
        """The worker dies; the process that it started sees to itself."""
        self.process.kill()
        self.process.wait()
        self._close()

    def kill_child(self) -> bool:
        """The process that trains dies; whether there was one."""
        children = self.children()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                return False
        return bool(children)

    def freeze(self, *, thaw: bool = False) -> None:
        """Nothing of it goes on, as on a machine that sleeps."""
        os.killpg(self.process.pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    def stop(self) -> int:
        """The way of an operator."""
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self._close()
        return status

    def _close(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()


@contextmanager
def workers(address: str, count: int, **settings: str) -> Iterator[list[WorkerProcess]]:
    """Workers on a database, with GRADD_* settings; those that are in the list at the end are stopped."""
    running = [WorkerProcess(address, **settings) for _ in range(count)]
    try:
        yield running
    finally:
        for worker in running:
            worker.kill()
            # A child that was frozen when a test failed cannot see to itself.
            with suppress(ProcessLookupError):
                os.killpg(worker.process.pid, signal.SIGKILL)


@contextmanager
def service(address: str) -> Iterator[httpx.Client]:
    """A client of a server of its own on that database."""
    with (
        running_server(GRADD_DATABASE_URL=address) as base,
        httpx.Client(base_url=base, timeout=PATIENCE) as client,
    ):
        yield client


def tensor(array: Any) -> dict[str, Any]:
    array = np.ascontiguousarray(array)
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def long_job(seed: int, *, epochs: int = 30, **more: Any) -> dict[str, Any]:
    """A job whose epochs take a few hundredths of a second, with everything that has a state."""
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(1200, 64))
    return {
        "network": {
            "layers": [
                {"kind": "dense", "units": 160, "activation": "relu"},
                {"kind": "batch_norm"},
                {"kind": "dropout", "drop_probability": 0.2, "seed": 3},
                {"kind": "dense", "units": 10},
            ]
        },
        "seed": seed,
        "data": {"inputs": tensor(inputs), "targets": tensor(inputs[:, :10].argmax(1))},
        "loss": {"kind": "softmax_cross_entropy"},
        "optimizer": {"kind": "adam", "learning_rate": 0.003},
        "epochs": epochs,
        "batch_size": 8,
        "validation_fraction": 0.1,
        "checkpoint_every_epochs": 1,
    } | more


def posted(client: httpx.Client, body: dict[str, Any]) -> str:
    response = client.post("/v1/jobs", json=body)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def ended(client: httpx.Client, job: str, status: str = "succeeded") -> dict[str, Any]:
    """The job, once it has ended as it should."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/v1/jobs/{job}", params={"wait": 10}).json()
        if found["status"] in ("succeeded", "failed", "cancelled", "paused"):
            break
    assert found["status"] == status, found
    return found


def events_of(client: httpx.Client, job: str) -> list[dict[str, Any]]:
    """All events, each once and in order."""
    events: list[dict[str, Any]] = []
    while True:
        answer = client.get(f"/v1/jobs/{job}/events", params={"after": len(events)}).json()
        events += answer["data"]
        if not answer["has_more"]:
            break
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    return events


def assert_reported_once(client: httpx.Client, job: str, epochs: int) -> None:
    """Every epoch once and in order; one end, which is the last word."""
    events = events_of(client, job)
    assert [event["data"]["epoch"] for event in events if event["type"] == "metrics"] == list(range(1, epochs + 1))
    statuses = [event["data"]["status"] for event in events if event["type"] == "status"]
    assert statuses.count("succeeded") == 1
    assert events[-1]["data"].get("status") == "succeeded"


def wait_until(condition: Any) -> None:
    """Until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.03)
