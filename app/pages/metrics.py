"""GET /metrics: the state of this server process in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

router = APIRouter(tags=["service"])


class Cache(Protocol):
    """A cache whose state is shown."""

    hits: int
    misses: int

    @property
    def nbytes(self) -> int:
        """Size of all entries in bytes."""

    def __len__(self) -> int: ...


class CacheCollector(Collector):
    """The state of the caches, read when it is asked for."""

    def __init__(self, caches: Mapping[str, Cache]) -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """Yield the families of samples, each with one sample for each cache."""
        size = GaugeMetricFamily("gradd_cache_bytes", "Memory that a cache uses, in bytes.", labels=["cache"])
        entries = GaugeMetricFamily("gradd_cache_entries", "Number of entries of a cache.", labels=["cache"])
        lookups = CounterMetricFamily("gradd_cache_lookups", "Lookups in a cache.", labels=["cache", "result"])
        for name, cache in self._caches.items():
            size.add_metric([name], cache.nbytes)
            entries.add_metric([name], len(cache))
            lookups.add_metric([name, "hit"], cache.hits)
            lookups.add_metric([name, "miss"], cache.misses)
        yield from (size, entries, lookups)


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
async def get_metrics(request: Request) -> Response:
    """Return what this server process uses: the memory, entries and hits of its caches of forms and stored models."""
    state = request.app.state
    registry = CollectorRegistry()
    registry.register(CacheCollector({"forms": state.server.forms, "models": state.models}))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
