"""The metrics of a worker.

A worker of `gradd serve` counts in files that the server shows with its own metrics; a worker of `gradd worker` shows them
itself, on GRADD_WORKER_METRICS_PORT.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, start_http_server


class WorkerMetrics:
    """What a worker has done. Counting costs microseconds, and nothing is written to the database."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        self.renewals = Counter("gradd_worker_lease_renewals", "Renewals of the worker's lease.", registry=own)
        self.leases_lost = Counter(
            "gradd_worker_leases_lost", "Leases that expired before they were renewed.", registry=own
        )
        self.claims = Counter("gradd_worker_jobs_claimed", "Jobs that a worker has begun or continued.", registry=own)
        self.kills = Counter(
            "gradd_worker_job_kills", "Training processes that the worker has killed.", ["reason"], registry=own
        )
        self.retries = Counter(
            "gradd_worker_job_retries", "Jobs that were given back because their process had died.", registry=own
        )
        self.database_retries = Counter(
            "gradd_worker_database_retries",
            "Transactions of the worker that the database could not execute.",
            registry=own,
        )
        for reason in ("taken-back", "stalled", "stopped"):
            self.kills.labels(reason)

    def serve(self, port: int) -> None:
        """Answer scrapes on a port of this machine, in a thread."""
        start_http_server(port, "127.0.0.1", self._registry)
