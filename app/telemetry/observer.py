"""Observer: the outermost layer of the application, which measures, numbers, logs and traces each request."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from app.telemetry.access_log import AccessLog
from app.telemetry.request_metrics import RequestMetrics
from app.telemetry.request_record import RequestRecord, current
from app.telemetry.tracing import Tracing


class Observer:
    """Measures the requests of one application."""

    def __init__(self, metrics: RequestMetrics, access_log: AccessLog | None, tracing: Tracing | None) -> None:
        self._metrics, self._tracing = metrics, tracing
        self._access_log = access_log

    async def observe(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let `app` answer a request, and record it."""
        record = RequestRecord(scope, receive, send)
        span = self._tracing.begin_request(record, scope["headers"]) if self._tracing else None
        token = current.set(record)
        self._metrics.active += 1
        try:
            await app(scope, record.receive, record.send)
        finally:
            self._metrics.active -= 1
            seconds = time.perf_counter() - record.start
            self._metrics.finish(record, seconds)
            if self._access_log:
                self._access_log.write(record, seconds)
            if self._tracing and span:
                self._tracing.end_request(span, record)
            current.reset(token)
