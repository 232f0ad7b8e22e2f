"""JobCollector: the numbers of jobs and workers, as metrics that are read from the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.jobs.leases import clock
from app.storage import Database
from app.storage.tables.jobs import StoredJob, WorkerLease
from core.errors import Refusal

STATUSES = ("queued", "running", "paused", "succeeded", "failed", "cancelled")
FRESH = 5.0
"""Seconds for which the numbers are shown again without asking the database."""


@dataclass(frozen=True, slots=True)
class JobNumbers:
    """The numbers of jobs and workers at a time."""

    jobs: dict[str, int]
    oldest_seconds: float
    """Age of the oldest job in the queue; 0 if it is empty."""

    workers: int


class JobCollector(Collector):
    """The numbers of jobs by status and of workers. Without a database there are no samples."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._read_at = -FRESH
        self._numbers: JobNumbers | None = None

    def describe(self) -> Iterator[Metric]:
        """Yield nothing, so that the database is not read when the collector is registered."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield the families of samples."""
        numbers = self._current()
        jobs = GaugeMetricFamily("gradd_jobs", "Number of jobs, parts of sweeps included.", labels=["status"])
        oldest = GaugeMetricFamily("gradd_jobs_oldest_queued_seconds", "Age of the oldest job in the queue.")
        workers = GaugeMetricFamily("gradd_workers", "Number of workers with a valid lease.")
        if numbers:
            for status in STATUSES:
                jobs.add_metric([status], numbers.jobs.get(status, 0))
            oldest.add_metric([], numbers.oldest_seconds)
            workers.add_metric([], numbers.workers)
        yield from (jobs, oldest, workers)

    def _current(self) -> JobNumbers | None:
        """Return the numbers; if another scrape is asking a slow database, the last ones."""
        if self._lock.acquire(blocking=False):
            try:
                if time.monotonic() - self._read_at >= FRESH:
                    self._numbers = self._read()
                    self._read_at = time.monotonic()
            finally:
                self._lock.release()
        return self._numbers

    def _read(self) -> JobNumbers | None:
        try:
            with self._database.read() as session:
                return _numbers(session)
        except (Refusal, DBAPIError):
            return None


def _numbers(session: Session) -> JobNumbers:
    now = clock(session)
    columns = StoredJob.status, func.count(), func.min(StoredJob.created_at)
    grouped = select(*columns).where(StoredJob.parts == 0).group_by(StoredJob.status)
    rows = {status: (count, oldest) for status, count, oldest in session.execute(grouped).all()}
    oldest: datetime = rows["queued"][1] if "queued" in rows else now
    alive = select(func.count()).select_from(WorkerLease).where(WorkerLease.lease_until > now)
    return JobNumbers(
        {status: count for status, (count, _) in rows.items()},
        max(0.0, (now - oldest).total_seconds()),
        session.scalar(alive) or 0,
    )
