"""The process that trains, started by a worker as `python -m app.worker.job_process_main`.

It reads one job per line and writes signs of life while it trains (`job_process.py`). Once the outcome of a job is stored,
it is ready for another one or exits with status 0. After any other exit status the worker gives the job back.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from queue import SimpleQueue

from app.jobs import repository
from app.jobs.repository import LeaseLost
from app.logs import configure_logs
from app.settings import Settings
from app.storage import Database
from app.telemetry.tracing import Tracing, start_tracing
from app.worker.job_process import READY
from app.worker.parent_watch import when_parent_ends
from app.worker.retry import retry
from app.worker.training import SliceEnded, Training
from core.errors import Refusal

USED_AGAIN = 10.0
"""Jobs that take at most this many seconds let the process take another job, which saves the start of a process."""

logger = logging.getLogger("gradd.worker")


def train_job(
    identity: str, fencing_token: int, database: Database, settings: Settings, tracing: Tracing | None = None
) -> None:
    """Train one job and record its outcome."""
    if tracing is None:
        _train_job(Training(settings, database, identity, fencing_token), identity)
        return
    with tracing.job_span(
        identity, _traceparent(database, identity), {"gradd.job.fencing_token": fencing_token}
    ) as span:
        _train_job(Training(settings, database, identity, fencing_token, span), identity)
    tracing.flush()


def _traceparent(database: Database, identity: str) -> str | None:
    """Return the place of a job in its trace; None if it has none or was deleted."""

    def read() -> str | None:
        with suppress(LeaseLost), database.read() as session:
            return repository.find_for_worker(session, identity).traceparent
        return None

    return retry(read)


def _train_job(training: Training, identity: str) -> None:
    try:
        try:
            training.go()
        except Refusal as refusal:
            if refusal.issues[0].code == "insufficient-storage":
                training.pause(refusal)
            else:
                training.fail(refusal)
        except (MemoryError, ArithmeticError, LookupError, TypeError, ValueError, OSError) as error:
            logger.exception("job %s", identity)
            training.give_up(error)
    except SliceEnded:
        logger.info("job %s waits, because others do", identity)
    except LeaseLost:
        logger.info("this worker no longer holds job %s", identity)


def main() -> None:
    """Train the jobs that the worker sends, until the worker exits."""
    told: SimpleQueue[bytes] = SimpleQueue()
    when_parent_ends(lambda: os._exit(1), told.put)
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    database = Database.of(settings)
    tracing = start_tracing("gradd-worker")
    while True:
        identity, fencing_token = told.get().decode().split()
        began = time.monotonic()
        train_job(identity, int(fencing_token), database, settings, tracing)
        if time.monotonic() - began > USED_AGAIN:
            # Starting a process is cheap compared with such a job, and exiting frees its memory.
            return
        os.write(1, READY)


if __name__ == "__main__":
    main()
