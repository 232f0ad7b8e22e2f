"""AccessLog: one record for each request. It names the route and never a query, a header's value or a body."""

from __future__ import annotations

import logging
from typing import Any

from app.telemetry.request_record import RequestRecord

logger = logging.getLogger("gradd.access")


class AccessLog:
    """Writes a record for each request."""

    def __init__(self, *, with_client: bool) -> None:
        """Prepare the log.

        Args:
            with_client: whether records have the address of the client, which is personal data in many countries.
        """
        self._with_client = with_client

    def write(self, record: RequestRecord, seconds: float) -> None:
        """Write the record of a request that has been answered."""
        if not logger.isEnabledFor(logging.INFO):
            return
        route = record.route
        fields: dict[str, Any] = {
            "method": record.method,
            "route": route,
            "status": record.status,
            "duration_seconds": round(seconds, 6),
            "queue_seconds": _rounded(record.queue_seconds),
            "compute_seconds": _rounded(record.compute_seconds),
            "request_bytes": record.request_bytes,
            "response_bytes": record.response_bytes,
        }
        if self._with_client:
            fields["client"] = record.client
        fields = {name: value for name, value in fields.items() if value is not None}
        message = '"%s %s" %d in %.1f ms'
        logger.info(message, record.method, route or "-", record.status, 1000 * seconds, extra=fields)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
