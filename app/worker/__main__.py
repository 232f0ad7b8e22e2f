"""`python -m app.worker` runs one worker. `gradd worker` and `gradd serve` start it, and restart it when it dies."""

from __future__ import annotations

import logging
import secrets
import signal
import sys

from app.compiled.choice import refuse_if_missing
from app.jobs.repository import LeaseLost
from app.logs import configure_logs
from app.settings import Settings
from app.storage import Database
from app.worker.metrics import WorkerMetrics
from app.worker.parent_watch import when_parent_ends
from app.worker.worker import Worker
from core.errors import Refusal

LOST = 3
"""Exit status of a worker that lost its lease."""


def main() -> int:
    """Run a worker until SIGTERM, SIGINT or the end of the parent process. Returns the exit status."""
    executor = sys.argv[1] if len(sys.argv) > 1 else secrets.token_hex(8)
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    try:
        refuse_if_missing(settings.job_engine)
        Database(settings.database_url).refuse_unusable()
    except Refusal as refusal:
        logging.getLogger("gradd.worker").error("%s %s", refusal.issues[0].detail, refusal.issues[0].hint)
        return 1
    metrics = WorkerMetrics()
    if settings.worker_metrics_port:
        metrics.serve(settings.worker_metrics_port)
    worker = Worker(settings, executor, metrics)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    when_parent_ends(worker.stop)
    try:
        worker.work()
    except LeaseLost:
        metrics.leases_lost.inc()
        logging.getLogger("gradd.worker").warning("worker %s lost its lease", executor)
        return LOST
    return 0


if __name__ == "__main__":
    sys.exit(main())
