"""RequestMetrics: the metrics of an application, and the text of all that a scrape shows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from app.telemetry.request_record import RequestRecord, current
from app.telemetry.tally import TalliedHistogram, Tally

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30)
"""Upper bounds of durations: those of OpenTelemetry's conventions, with some below 5 ms and one above 10 s."""

BYTES = tuple(2**power for power in (8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 29))
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that makes prometheus_client count in files of a folder, which all processes of a service share."""


class RequestMetrics:
    """The metrics of one application.

    Names and labels are those of OpenTelemetry's semantic conventions for HTTP servers, as Prometheus writes them. A label
    has never more values than the service has routes, methods and statuses.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Create the metrics, all without samples.

        Args:
            folder: where other processes of the service leave their counts, if there are any.
        """
        own = self.registry = CollectorRegistry()
        self._lock = Lock()
        route = ["http_request_method", "http_route"]

        def histogram(name: str, text: str, labels: list[str], bounds: Sequence[float]) -> TalliedHistogram:
            return TalliedHistogram(name, text, labels, bounds, own, self._lock)

        self._durations = histogram(
            "http_server_request_duration_seconds",
            "Time from the head of a request to the end of its answer.",
            [*route, "http_response_status_code"],
            SECONDS,
        )
        self._received = histogram(
            "http_server_request_body_size_bytes", "Size of the bodies of requests as they were sent.", route, BYTES
        )
        self._sent = histogram(
            "http_server_response_body_size_bytes", "Size of the bodies of answers as they were sent.", route, BYTES
        )
        self._queue = histogram(
            "gradd_queue_seconds", "Time for which a computation waited to be begun.", ["http_route"], SECONDS
        )
        self._compute = histogram(
            "gradd_compute_seconds",
            "Time that a computation took, with the reading of its body and the writing of its answer.",
            ["http_route"],
            SECONDS,
        )
        self.active = 0
        """Number of requests that are being answered."""
        self._active = Gauge(
            "http_server_active_requests", "Requests that are being answered.",
            registry=own, multiprocess_mode="livesum",
        )  # fmt: skip
        self._operations = Counter(
            "gradd_floating_point_operations", "Estimated floating-point operations of computations.", ["operation"],
            registry=own,
        )  # fmt: skip
        self._killed = Counter(
            "gradd_computations_killed", "Computations that were stopped before their end.", ["reason"], registry=own
        )
        self._tallies: dict[tuple[str, str, int], tuple[Tally, Tally, Tally]] = {}
        self._scraped = own
        if SHARED in os.environ or folder:
            # The own registry would show this process alone; the files in the folder show all, this one included.
            self._scraped = CollectorRegistry() if SHARED in os.environ else own
            self._scraped.register(MultiProcessCollector(None, str(folder or os.environ[SHARED])))  # type: ignore[no-untyped-call]

    def show(self, collector: Collector) -> None:
        """Show what a collector collects, too, when the metrics are read."""
        self._scraped.register(collector)

    def flush(self) -> None:
        """Bring the metrics up to date. With several processes, each does so regularly for a scrape of another one."""
        self._active.set(self.active)
        for histogram in (self._durations, self._received, self._sent, self._queue, self._compute):
            histogram.flush()

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        self.flush()
        return generate_latest(self._scraped)

    def observe_queue(self, seconds: float) -> None:
        """Count the time for which the present request's computation waited to be begun."""
        record = current.get()
        if record is not None:
            record.queue_seconds = (record.queue_seconds or 0.0) + seconds
        self._observe(self._queue, record, seconds)

    def observe_compute(self, seconds: float) -> None:
        """Count the time that the present request's computation took."""
        record = current.get()
        if record is not None:
            record.compute_seconds = (record.compute_seconds or 0.0) + seconds
        self._observe(self._compute, record, seconds)

    def _observe(self, histogram: TalliedHistogram, record: RequestRecord | None, seconds: float) -> None:
        tally = histogram.tally(record.route if record else "")
        with self._lock:
            tally.add(seconds)

    def add_operations(self, count: float, operation: str | None = None) -> None:
        """Count floating-point operations.

        Args:
            count: their number.
            operation: the name of the computation; by default the last part of the present request's route.
        """
        record = current.get()
        name = operation or (record.route.rpartition("/")[2] if record else "")
        self._operations.labels(name).inc(count)

    def count_killed(self, reason: str) -> None:
        """Count a computation that was stopped before its end, by a reason of a few fixed ones."""
        self._killed.labels(reason).inc()

    def finish(self, record: RequestRecord, seconds: float) -> None:
        """Count a request that has been answered."""
        key = (record.method, record.route, record.status)
        tallies = self._tallies.get(key)
        if tallies is None:
            method, route, status = key
            tallies = self._tallies[key] = (
                self._durations.tally(method, route, str(status)),
                self._received.tally(method, route),
                self._sent.tally(method, route),
            )
        with self._lock:
            tallies[0].add(seconds)
            tallies[1].add(record.request_bytes)
            tallies[2].add(record.response_bytes)


def forget_process(pid: int | None) -> None:
    """Leave out the gauges of a process that has ended. What it has counted stays."""
    if SHARED in os.environ and pid is not None:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
