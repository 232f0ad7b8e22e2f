"""GET /metrics: the state of the service in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Protocol

from anyio import sleep
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge

from app.telemetry.request_metrics import RequestMetrics

router = APIRouter(tags=["service"])

PERIOD = 2.0
"""Seconds after which another process shows what this one has counted."""


class Cache(Protocol):
    """A cache whose state is shown."""

    hits: int
    misses: int

    @property
    def nbytes(self) -> int:
        """Size of all entries in bytes."""

    def __len__(self) -> int: ...


class CacheMetrics:
    """The state of the caches as metrics. It is read from time to time, because a cache counts more cheaply by itself."""

    def __init__(self, metrics: RequestMetrics, caches: Mapping[str, Cache]) -> None:
        self._metrics, self._caches = metrics, caches
        own = metrics.registry
        self._size = Gauge(
            "gradd_cache_bytes", "Memory that a cache uses, in bytes.", ["cache"],
            registry=own, multiprocess_mode="livesum",
        )  # fmt: skip
        self._entries = Gauge(
            "gradd_cache_entries", "Number of entries of a cache.", ["cache"],
            registry=own, multiprocess_mode="livesum",
        )  # fmt: skip
        self._lookups = Counter("gradd_cache_lookups", "Lookups in a cache.", ["cache", "result"], registry=own)
        self._counted: dict[tuple[str, str], int] = {}
        self._lock = Lock()

    def read(self) -> None:
        """Read the state of the caches."""
        with self._lock:
            for name, cache in self._caches.items():
                self._size.labels(name).set(cache.nbytes)
                self._entries.labels(name).set(len(cache))
                for result, count in (("hit", cache.hits), ("miss", cache.misses)):
                    self._lookups.labels(name, result).inc(count - self._counted.get((name, result), 0))
                    self._counted[name, result] = count

    async def keep_current(self) -> None:
        """Bring all metrics up to date regularly, for a scrape of another process of the service."""
        while True:
            self.read()
            self._metrics.flush()
            await sleep(PERIOD)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Get the metrics of the server",
    response_class=Response,
    responses={
        200: {
            "description": "The metrics in the text format of Prometheus.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
def get_metrics(request: Request) -> Response:
    """Return the durations and sizes of requests, the use of caches and the numbers of jobs.

    With several server processes, any of them shows what all have counted. docs/operations/observing.md describes each
    metric.
    """
    state = request.app.state
    state.cache_metrics.read()
    metrics: RequestMetrics = state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
