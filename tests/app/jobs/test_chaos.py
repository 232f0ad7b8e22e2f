"""Workers are killed and frozen at random moments; every job ends with the bits of one that was left in peace."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.jobs import leases, queue
from app.storage import Database
from app.storage.tables.jobs import StoredJob
from tests.app.jobs.service import (
    LEASE,
    WorkerProcess,
    assert_reported_once,
    ended,
    events_of,
    long_job,
    posted,
    service,
    wait_until,
    workers,
)

pytestmark = pytest.mark.slow

EPOCHS = 30
SEEDS = (1, 2, 3)
KILLS = 6


def undisturbed(client: httpx.Client, address: str, *seeds: int) -> dict[int, str]:
    """By seed, the model of a run that nothing happens to."""
    with workers(address, 1):
        jobs = {seed: posted(client, long_job(seed, epochs=EPOCHS)) for seed in seeds}
        return {seed: ended(client, job)["result"]["model"] for seed, job in jobs.items()}


def epoch_of(client: httpx.Client, job: str) -> int:
    return int(client.get(f"/v1/jobs/{job}").json()["progress"]["epoch"])


def has_died_lately(database: Database, worker: WorkerProcess) -> bool:
    """Whether the job of a worker has cost a life since its last checkpoint."""
    with database.read() as session:
        mine = StoredJob.executor == worker.executor, StoredJob.attempts > 0
        return session.scalars(select(StoredJob.id).where(*mine)).first() is not None


def has_job(database: Database, worker: WorkerProcess) -> bool:
    """Whether a worker holds a job."""
    with database.read() as session:
        return bool(queue.jobs_of(session, worker.executor))


def freeze_between_writes(worker: WorkerProcess, database: Database) -> None:
    """A frozen process that holds the lock of a SQLite file lets nobody write; PostgreSQL ends its transaction."""
    worker.freeze()
    while database.is_sqlite:
        try:
            with closing(sqlite3.connect(str(database.url.database), timeout=1)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                return
        except sqlite3.OperationalError:
            worker.freeze(thaw=True)
            time.sleep(0.01)
            worker.freeze()


def test_killed_at_random_every_job_ends_with_the_same_bits(database: Database, address: str) -> None:
    chance = random.Random(20261124)
    with service(address) as one, service(address) as other:
        clients = [one, other]
        expected = undisturbed(one, address, *SEEDS)
        jobs: dict[str, int] = {}
        kills = 0
        with workers(address, 2) as running:
            while kills < KILLS:
                unfinished = [
                    job for job in jobs if one.get(f"/v1/jobs/{job}").json()["status"] in ("queued", "running")
                ]
                while len(unfinished) < 2:
                    seed = chance.choice(SEEDS)
                    job = posted(chance.choice(clients), long_job(seed, epochs=EPOCHS))
                    jobs[job] = seed
                    unfinished.append(job)
                time.sleep(chance.uniform(0.2, 0.8))
                victim = chance.randrange(2)
                if has_died_lately(database, running[victim]):
                    # Three deaths without a checkpoint in between would be a poisonous job.
                    continue
                if chance.random() < 0.5:
                    kills += running[victim].kill_child()
                else:
                    running[victim].kill()
                    running[victim] = WorkerProcess(address)
                    kills += 1
            for job, seed in jobs.items():
                assert ended(one, job)["result"]["model"] == expected[seed]
                assert_reported_once(other, job, EPOCHS)


def test_a_worker_that_was_frozen_does_no_harm(database: Database, address: str) -> None:
    with service(address) as client:
        expected = undisturbed(client, address, 2)
        with workers(address, 1) as running:
            job = posted(client, long_job(2, epochs=EPOCHS))
            wait_until(lambda: epoch_of(client, job) >= 2)
            frozen = running[0]
            freeze_between_writes(frozen, database)
            running.append(WorkerProcess(address))
            time.sleep(1.5 * float(LEASE))
            wait_until(lambda: any(event["type"] == "warning" for event in events_of(client, job)))
            frozen.freeze(thaw=True)
            assert frozen.process.wait(60) == 3, "it has lost its lease, and says so"
            assert ended(client, job)["result"]["model"] == expected[2]
            assert_reported_once(client, job, EPOCHS)


def test_a_job_outlives_many_workers(database: Database, address: str) -> None:
    """No checkpoint is written, so that every one of the deaths is one since the last checkpoint."""
    with service(address) as client, workers(address, 1) as running:
        job = posted(client, long_job(1, epochs=100_000, checkpoint_every_epochs=100_000))
        for _ in range(8):
            wait_until(lambda: has_job(database, running[0]))
            running[0].kill()
            with database.write() as session:
                leases.end(session, running[0].executor)  # As a supervisor does.
            running[0] = WorkerProcess(address)
        wait_until(lambda: has_job(database, running[0]))
        assert client.get(f"/v1/jobs/{job}").json()["status"] == "running"


def test_a_job_that_kills_its_process_fails_after_three_attempts(database: Database, address: str) -> None:
    body = long_job(1, epochs=100_000, checkpoint_every_epochs=100_000)
    with service(address) as client, workers(address, 1) as running:
        job = posted(client, body)
        killed: list[int] = []
        for _ in range(3):
            wait_until(lambda killed=killed: bool(running[0].children()) and running[0].children() != killed)
            wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "running")
            killed = running[0].children()
            running[0].kill_child()
        error = ended(client, job, "failed")["error"]
        assert error["code"] == "job-failed"
        assert "signal 9" in error["detail"]


def test_a_process_that_is_stopped_is_noticed_and_its_job_goes_on(
    database: Database, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADD_JOB_STALL_SECONDS", "8")
    with service(address) as client, workers(address, 1) as running:
        job = posted(client, long_job(1, epochs=EPOCHS))
        wait_until(lambda: epoch_of(client, job) >= 1)
        (child,) = running[0].children()
        os.kill(child, signal.SIGSTOP)
        ended(client, job)
        assert_reported_once(client, job, EPOCHS)
        (warning,) = [event["data"] for event in events_of(client, job) if event["type"] == "warning"]
        assert "made no step for 8 s" in warning["detail"]
        assert warning["attempts"] == 1
        assert not Path(f"/proc/{child}").exists()


def test_a_worker_is_healthy_while_it_works(database: Database, address: str) -> None:
    def check() -> int:
        command = [sys.executable, "-m", "app.cli", "worker", "--check"]
        environment = os.environ | {"GRADD_DATABASE_URL": address}
        return subprocess.run(command, env=environment, check=False, capture_output=True, timeout=120).returncode

    assert check() == 1
    with workers(address, 1) as running:
        wait_until(lambda: check() == 0)
        running[0].freeze()
        wait_until(lambda: check() == 1)
        running[0].freeze(thaw=True)
        wait_until(lambda: check() == 0)
        running[0].kill()
        wait_until(lambda: check() == 1)


@pytest.mark.parametrize("verb", ["cancel", "pause"])
def test_a_verb_ends_the_process_of_a_running_epoch(database: Database, address: str, verb: str) -> None:
    with service(address) as client, workers(address, 1) as running:
        job = posted(client, long_job(1, epochs=100_000, batch_size=1))
        wait_until(lambda: bool(running[0].children()))
        assert client.post(f"/v1/jobs/{job}/{verb}").status_code == 200
        count = len(events_of(client, job))
        wait_until(lambda: not running[0].children())
        assert len(events_of(client, job)) == count


def test_a_paused_job_goes_on_to_the_same_bits(database: Database, address: str) -> None:
    with service(address) as client:
        expected = undisturbed(client, address, 3)
        with workers(address, 1):
            job = posted(client, long_job(3, epochs=EPOCHS))
            for epoch in (3, 9):
                wait_until(lambda epoch=epoch: epoch_of(client, job) >= epoch)
                assert client.post(f"/v1/jobs/{job}/pause").json()["status"] == "paused"
                assert client.post(f"/v1/jobs/{job}/resume").json()["status"] == "queued"
            assert ended(client, job)["result"]["model"] == expected[3]
            assert_reported_once(client, job, EPOCHS)


def test_a_worker_that_is_stopped_hands_its_job_back(database: Database, address: str) -> None:
    with service(address) as client, workers(address, 1) as running:
        job = posted(client, long_job(1, epochs=100_000))
        wait_until(lambda: epoch_of(client, job) >= 1)
        assert running[0].stop() == 0
        found = client.get(f"/v1/jobs/{job}").json()
        assert found["status"] == "queued"
        assert found["queue"]["position"] == 1


def test_a_process_whose_worker_is_gone_ends(database: Database, address: str) -> None:
    with service(address) as client, workers(address, 1) as running:
        job = posted(client, long_job(1, epochs=100_000))
        wait_until(lambda: epoch_of(client, job) >= 1)
        (child,) = running[0].children()
        running[0].kill()
        wait_until(lambda: not Path(f"/proc/{child}").exists())
