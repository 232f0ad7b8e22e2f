"""The worker: holds a lease, takes one job at a time, and monitors the process that trains it."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from app.jobs import leases, queue, repository
from app.jobs.polling import POLL_SECONDS
from app.jobs.repository import LeaseLost
from app.settings import Settings
from app.storage import Database
from app.worker.job_process import TrainingProcess
from app.worker.metrics import WorkerMetrics
from app.worker.retry import retry

START_SECONDS = 120.0
"""Seconds that a process may take to give its first sign of life."""

logger = logging.getLogger("gradd.worker")


@dataclass(frozen=True, slots=True)
class Held:
    """A job that is being trained."""

    job: str
    fencing_token: int
    process: TrainingProcess


class Worker:
    """Processes jobs until it is stopped or loses its lease."""

    def __init__(self, settings: Settings, executor: str, metrics: WorkerMetrics | None = None) -> None:
        self._settings, self._executor = settings, executor
        self._metrics = metrics or WorkerMetrics()
        # The worker cannot renew its lease while it waits for a lock, so it waits only briefly.
        self._database = Database(settings.database_url, patience_seconds=settings.lease_seconds / 4)
        self._held: Held | None = None
        self._idle: TrainingProcess | None = None
        self._stopping = threading.Event()
        self._renewed = 0.0

    def stop(self) -> None:
        """Stop the worker. Its job returns to the queue and continues from its last checkpoint."""
        self._stopping.set()

    def work(self) -> None:
        """Process jobs until `stop` is called.

        Raises:
            LeaseLost: if the lease has expired. The supervisor then starts a worker with a new id.
        """
        while not self._database.is_current():
            if self._stopping.wait(POLL_SECONDS):
                return
        retry(self._take_lease)
        # A previous worker may just have died.
        retry(self._rescue)
        logger.info("worker %s is ready", self._executor)
        try:
            while not self._stopping.wait(POLL_SECONDS):
                retry(self._look, count=self._metrics.database_retries.inc)
        finally:
            self._kill()
            if self._idle:
                self._idle.kill()
        self._hand_back()

    def _take_lease(self) -> None:
        with self._database.write() as session:
            if not leases.renew(session, self._executor, self._settings.lease_seconds):
                leases.take(session, self._executor, self._settings.lease_seconds)
        self._renewed = time.monotonic()

    def _rescue(self) -> None:
        with self._database.write() as session:
            count = queue.rescue(session)
        self._metrics.retries.inc(count)

    def _look(self) -> None:
        if time.monotonic() - self._renewed > self._settings.lease_seconds / 3:
            with self._database.write() as session:
                if not leases.renew(session, self._executor, self._settings.lease_seconds):
                    raise LeaseLost(self._executor)
            self._metrics.renewals.inc()
            self._renewed = time.monotonic()
            self._rescue()
        held = self._held
        if held and held.process.is_over():
            self._finish_job(held)
        elif held and not self._is_held(held):
            logger.info("job %s was taken back", held.job)
            self._kill("taken-back")
        elif held and self._is_stalled(held.process):
            logger.warning("the process of job %s does not go on", held.job)
            self._kill("stalled")
            seconds = self._settings.job_stall_seconds
            self._give_back(held, f"The process of the job made no step for {seconds:g} s and was killed.")
        if self._held is None:
            self._claim()

    def _is_stalled(self, process: TrainingProcess) -> bool:
        limit = self._settings.job_stall_seconds
        return process.silence > (limit if process.has_spoken else max(limit, START_SECONDS))

    def _claim(self) -> None:
        with self._database.read() as session:
            unknown = queue.jobs_of(session, self._executor)
            if not unknown and not queue.is_waiting(session, self._settings.max_running_jobs_per_key):
                return
        for identity, fencing_token in unknown:
            with suppress(LeaseLost), self._database.write() as session:
                # The claim was committed, but its answer did not arrive.
                reason = "The answer to a claim was lost."
                queue.give_back(session, identity, fencing_token, reason=reason, counts=False)
        with self._database.write() as session:
            found = queue.claim(session, self._executor, self._settings.max_running_jobs_per_key)
        if found:
            process = self._idle
            if process and process.status is not None:
                process.close()
                process = None
            process = process or TrainingProcess(self._settings.job_threads)
            self._held, self._idle = Held(*found, process), None
            process.begin(*found)
            self._metrics.claims.inc()
            logger.info("job %s begins, fencing token %d", *found)

    def _finish_job(self, held: Held) -> None:
        status = held.process.status
        if status:
            reason = (
                f"The process of the job was ended by signal {-status}."
                if status < 0
                else f"The process of the job exited with status {status}."
            )
            self._metrics.retries.inc()
            self._give_back(held, reason)
        self._held = None
        if status is None:
            self._idle = held.process
        else:
            held.process.close()
        logger.info("job %s is over", held.job)

    def _give_back(self, held: Held, reason: str) -> None:
        with suppress(LeaseLost), self._database.write() as session:
            queue.give_back(session, held.job, held.fencing_token, reason=reason, counts=True)

    def _is_held(self, held: Held) -> bool:
        with suppress(LeaseLost), self._database.read() as session:
            return repository.find_for_worker(session, held.job).fencing_token == held.fencing_token
        return False

    def _kill(self, reason: str = "stopped") -> None:
        if self._held:
            self._metrics.kills.labels(reason).inc()
            self._held.process.kill()
            self._held = None

    def _hand_back(self) -> None:
        """Return all jobs to the queue immediately, so that no worker has to wait for the lease to expire."""

        def release() -> None:
            with self._database.write() as session:
                for identity, fencing_token in queue.jobs_of(session, self._executor):
                    queue.give_back(
                        session, identity, fencing_token, reason="The worker of the job was stopped.", counts=False
                    )
                session.flush()
                leases.forget(session, self._executor)

        retry(release)
