"""A worker: holds a lease, takes one job at a time, and watches the process that trains it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from app.jobs import handing, leases, rows
from app.jobs.rows import Lost
from app.settings import Settings
from app.storage import Database
from app.worker.patience import persistently

LOOK_EVERY = 0.2
"""Seconds between two looks at the queue, at the child, and at whether the job is still ours."""

logger = logging.getLogger("gradd.worker")


@dataclass(frozen=True, slots=True)
class Child:
    """A process that trains a job."""

    process: subprocess.Popen[bytes]
    job: str
    run: int


class Worker:
    """Works until it is told to stop, or until it has lost its lease."""

    def __init__(self, settings: Settings, executor: str) -> None:
        self._settings, self._executor = settings, executor
        self._database = Database(settings.database_url)
        self._child: Child | None = None
        self._stopping = threading.Event()
        self._renewed = 0.0

    def stop(self) -> None:
        """Let it end: its job goes back to the queue and on from the last checkpoint."""
        self._stopping.set()

    def work(self) -> None:
        """Work.

        Raises:
            Lost: where the lease has ended: whoever started us starts another one, with a new id.
        """
        while not self._database.is_current():
            if self._stopping.wait(LOOK_EVERY):
                return
        persistently(self._take_lease)
        # Whoever was here before may have died a moment ago.
        persistently(self._rescue)
        logger.info("worker %s is ready", self._executor)
        try:
            while not self._stopping.wait(LOOK_EVERY):
                persistently(self._look)
        finally:
            self._kill()
        self._hand_back()

    def _take_lease(self) -> None:
        with self._database.write() as session:
            if not leases.renew(session, self._executor, self._settings.lease_seconds):
                leases.take(session, self._executor, self._settings.lease_seconds)
        self._renewed = time.monotonic()

    def _rescue(self) -> None:
        with self._database.write() as session:
            handing.rescue(session)

    def _look(self) -> None:
        if time.monotonic() - self._renewed > self._settings.lease_seconds / 3:
            with self._database.write() as session:
                if not leases.renew(session, self._executor, self._settings.lease_seconds):
                    raise Lost(self._executor)
            self._renewed = time.monotonic()
            self._rescue()
        child = self._child
        if child is None:
            self._claim()
        elif child.process.poll() is not None:
            self._ended(child)
        elif not self._is_held(child):
            logger.info("job %s was taken back", child.job)
            self._kill()

    def _claim(self) -> None:
        with self._database.read() as session:
            if not handing.is_waiting(session):
                return
        with self._database.write() as session:
            found = handing.claim(session, self._executor)
        if found:
            self._child = Child(_started(found, self._settings.job_threads), *found)
            logger.info("job %s begins, run %d", *found)

    def _ended(self, child: Child) -> None:
        code = child.process.returncode
        if code:
            reason = f"Its process ended with signal {-code}." if code < 0 else f"Its process ended with status {code}."
            self._give_back(child, reason, counts=True)
        logger.info("the process of job %s ended with %d", child.job, code)
        self._close(child)

    def _give_back(self, child: Child, reason: str, *, counts: bool) -> None:
        try:
            with self._database.write() as session:
                handing.give_back(session, child.job, child.run, reason=reason, counts=counts)
        except Lost:
            pass

    def _is_held(self, child: Child) -> bool:
        with self._database.read() as session:
            return rows.find(session, child.job).run == child.run

    def _kill(self) -> None:
        child = self._child
        if child is not None:
            child.process.kill()
            child.process.wait()
            self._close(child)

    def _close(self, child: Child) -> None:
        if child.process.stdin:
            child.process.stdin.close()
        self._child = None

    def _hand_back(self) -> None:
        """Everything goes back at once; nobody has to wait for the lease to end."""

        def handed() -> None:
            with self._database.write() as session:
                for identity, run in handing.jobs_of(session, self._executor):
                    handing.give_back(session, identity, run, reason="Its worker was stopped.", counts=False)
                session.flush()
                leases.forget(session, self._executor)

        persistently(handed)


def _started(found: tuple[str, int], threads: int) -> subprocess.Popen[bytes]:
    """A process for a job. How many threads its linear algebra uses decides bits, so it is not left to the machine."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    command = [sys.executable, "-m", "app.worker.child", found[0], str(found[1])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603  (our own interpreter)
