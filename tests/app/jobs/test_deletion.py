"""Jobs that are deleted while workers, listeners and other requests have to do with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.storage import Database
from tests.app.jobs.service import WorkerProcess, ended, posted, service, wait_until, workers
from tests.app.jobs.test_going_on import JOB
from tests.server import refused

pytestmark = pytest.mark.slow


def is_running(client: httpx.Client, job: str) -> bool:
    return bool(client.get(f"/v1/jobs/{job}").json()["status"] == "running")


def test_a_worker_survives_the_deletion_of_its_job(database: Database, address: str) -> None:
    with service(address) as client, workers(address, 1) as running:
        for _ in range(4):
            job = posted(client, JOB | {"epochs": 1_000_000})
            wait_until(lambda job=job: is_running(client, job))
            client.post(f"/v1/jobs/{job}/cancel").raise_for_status()
            client.delete(f"/v1/jobs/{job}").raise_for_status()
        ended(client, posted(client, JOB))
        (worker,) = running
        assert isinstance(worker, WorkerProcess)
        assert worker.process.poll() is None


def test_those_who_listen_to_a_job_that_is_deleted_are_let_go(database: Database, address: str) -> None:
    with service(address) as client:
        job = posted(client, JOB)
        events = f"/v1/jobs/{job}/events"
        with client.stream("GET", events, headers={"Accept": "text/event-stream"}) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("event: status")
            client.post(f"/v1/jobs/{job}/cancel").raise_for_status()
            client.delete(f"/v1/jobs/{job}").raise_for_status()
            list(lines)  # It ends as a stream ends, not in the middle of a chunk.


def test_deletions_that_cross_one_another_are_done(database: Database, address: str) -> None:
    """Two sweeps have the same parameters in another order, so that each has what the other waits for."""
    with service(address) as client, workers(address, 2):
        for _ in range(3):
            rates = [0.01, 0.02, 0.05, 0.1]
            sweeps = [
                posted(client, JOB | {"epochs": 2, "sweep": {"learning_rate": order}}) for order in (rates, rates[::-1])
            ]
            for sweep in sweeps:
                ended(client, sweep)

            def delete(sweep: str) -> Any:
                return client.delete(f"/v1/jobs/{sweep}").status_code

            with ThreadPoolExecutor(2) as threads:
                assert list(threads.map(delete, sweeps)) == [204, 204]
            assert client.get("/v1/jobs").json()["data"] == []


def test_a_name_that_could_not_be_read_again_is_refused(database: Database, address: str) -> None:
    with service(address) as client:
        layers = [{"kind": "dense", "units": 3, "name": "a\0b"}, {"kind": "dense", "units": 1}]
        document = refused(client.post("/v1/jobs", json=JOB | {"network": {"layers": layers}}), 422)
        assert document.errors[0].pointer == "#/network/layers/0/name"
