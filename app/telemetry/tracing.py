"""Tracing: spans of requests and jobs, sent by OpenTelemetry's protocol if the environment names a collector.

The packages are those of the extra `gradd[otel]`. They are imported when a collector is configured, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app import VERSION
from app.telemetry.request_record import RequestRecord

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables, of which either turns the traces on. Its other variables count, too."""

TRACEPARENT = "traceparent"


class MissingTelemetry(ImportError):
    """A collector is configured, and the packages of `gradd[otel]` are not installed."""


def start_tracing(service: str) -> Tracing | None:
    """Return the traces of this process, or None if no collector is configured.

    Raises:
        MissingTelemetry: if the packages are not installed.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingTelemetry(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set; traces need `pip install 'gradd[otel]'`."
        ) from error
    defaults = {"service.name": os.environ.get("OTEL_SERVICE_NAME", service), "service.version": VERSION}
    provider = TracerProvider(resource=Resource.create(defaults))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


class Tracing:
    """The traces of one process. Nothing of it is global, so that several applications can live in a process."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("gradd", VERSION)
        self._propagator = TraceContextTextMapPropagator()

    def begin_request(self, record: RequestRecord, headers: list[tuple[bytes, bytes]]) -> Span:
        """Begin the span of a request, as part of the trace that its header `traceparent` names."""
        from opentelemetry.trace import SpanKind

        span = self._tracer.start_span(record.method, self._context_of(headers), SpanKind.SERVER)
        record.trace = f"{span.get_span_context().trace_id:032x}"
        record.traceparent = self._written(span)
        return span

    def _context_of(self, headers: list[tuple[bytes, bytes]]) -> Any:
        names = (b"traceparent", b"tracestate")
        return self._propagator.extract(
            {name.decode(): value.decode("latin-1") for name, value in headers if name in names}
        )

    def end_request(self, span: Span, record: RequestRecord) -> None:
        """End the span of a request that has been answered."""
        from opentelemetry.trace import StatusCode

        route = record.route
        span.update_name(f"{record.method} {route}" if route else record.method)
        attributes: dict[str, Any] = {
            "http.request.method": record.method,
            "http.route": route,
            "http.response.status_code": record.status,
            "http.request.body.size": record.request_bytes,
            "http.response.body.size": record.response_bytes,
            "gradd.request_id": record.id,
            "gradd.queue_seconds": record.queue_seconds,
            "gradd.compute_seconds": record.compute_seconds,
        }
        span.set_attributes({name: value for name, value in attributes.items() if value not in (None, "")})
        if record.status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()

    @contextmanager
    def job_span(self, identity: str, traceparent: str | None, attributes: Mapping[str, Any]) -> Iterator[Span]:
        """Trace the work on a job in a block, as part of the trace of the request that created it."""
        context = self._propagator.extract({TRACEPARENT: traceparent} if traceparent else {})
        with self._tracer.start_as_current_span(
            "train job", context, attributes={"gradd.job.id": identity, **attributes}
        ) as span:
            yield span

    def _written(self, span: Span) -> str:
        from opentelemetry.trace import set_span_in_context

        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span))
        return carrier.get(TRACEPARENT, "")

    def flush(self) -> None:
        """Send what has not been sent yet."""
        self._provider.force_flush(2000)

    def close(self) -> None:
        """Send what has not been sent yet, and stop."""
        self._provider.shutdown()
