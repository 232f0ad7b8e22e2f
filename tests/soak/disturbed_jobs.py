"""Jobs that are trained while things go wrong, each beside the model that it comes to when nothing does."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx
from sqlalchemy import select

from app.storage import Database
from app.storage.tables.jobs import StoredJob
from tests.app.jobs.service import WorkerProcess, long_job
from tests.soak.clients import PATIENCE, insist

EPOCHS = 12
SEEDS = (1, 2, 3, 4)
_RUNS = ("queued", "running")
_ENDED = ("succeeded", "failed", "cancelled", "paused")


def _body(seed: int) -> dict[str, Any]:
    """A job; of every second one a checkpoint is written by the clock."""
    return long_job(seed, epochs=EPOCHS, checkpoint_every_epochs=1 if seed % 2 else None)


class DisturbedJobs:
    """Keeps some jobs going, and remembers what each must come to."""

    def __init__(self, client: httpx.Client, chance: random.Random) -> None:
        """Prepare; the client may be that of a server that is killed."""
        self._client, self._chance = client, chance
        self._expected: dict[int, str] = {}
        self.posted: dict[str, int] = {}

    def train_undisturbed(self) -> None:
        """Train every job once while nothing happens, and keep the models as what is expected."""
        jobs = {seed: self._post(seed) for seed in SEEDS}
        self._expected = {seed: self._ended(job)["result"]["model"] for seed, job in jobs.items()}

    def keep_going(self, count: int) -> None:
        """Post new jobs until so many have not ended."""
        running = sum(self._job(job)["status"] in _RUNS for job in list(self.posted)[-3 * count :])
        for _ in range(count - running):
            seed = self._chance.choice(SEEDS)
            self.posted[self._post(seed)] = seed

    def assert_same_bits(self) -> int:
        """Wait for all jobs, compare each with its undisturbed run, and return their number.

        Raises:
            AssertionError: if a job is lost, was made twice, failed, has other parameters, or has not told an epoch once.
        """
        for job, seed in self.posted.items():
            assert self._ended(job)["result"]["model"] == self._expected[seed], (job, seed)
            self._assert_reported_once(job)
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = insist(
                self._client, "GET", "/v1/jobs", params={"limit": 100, **({"after": after} if after else {})}
            ).json()
            rows += page["data"]
            if not page["has_more"]:
                break
            after = page["data"][-1]["id"]
        assert len(rows) == len(self.posted) + len(self._expected), "a job was made twice, or is gone"
        return len(self.posted)

    def _post(self, seed: int) -> str:
        # What was answered by a server that died before the answer arrived is not done again.
        headers = {"Idempotency-Key": f"soak-{self._chance.getrandbits(64):x}"}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = insist(self._client, "POST", "/v1/jobs", json=_body(seed), headers=headers)
            if answer.status_code == 202:
                return str(answer.json()["id"])
            assert answer.status_code == 409, answer.text  # The server that died seems to be still at it, for a minute.
            time.sleep(1)
        raise AssertionError("a job is never accepted")

    def _job(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = insist(self._client, "GET", f"/v1/jobs/{job}").json()
        return found

    def _ended(self, job: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while (found := self._job(job))["status"] not in _ENDED:
            assert time.monotonic() < deadline, f"{job} does not end: {found}"
            time.sleep(0.2)
        assert found["status"] == "succeeded", found
        return found

    def _assert_reported_once(self, job: str) -> None:
        events: list[dict[str, Any]] = []
        while True:
            page = insist(self._client, "GET", f"/v1/jobs/{job}/events", params={"after": len(events)}).json()
            events += page["data"]
            if not page["has_more"]:
                break
        assert [event["id"] for event in events] == list(range(1, len(events) + 1)), job
        epochs = [event["data"]["epoch"] for event in events if event["type"] == "metrics"]
        assert epochs == list(range(1, EPOCHS + 1)), (job, epochs)


def has_died_lately(database: Database, worker: WorkerProcess) -> bool:
    """Return whether the job of a worker has cost a life since its last checkpoint: three would be a poisonous job."""
    with database.read() as session:
        mine = StoredJob.executor == worker.executor, StoredJob.attempts > 0
        return session.scalars(select(StoredJob.id).where(*mine)).first() is not None
