"""Timestamps in JSON."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(time: datetime) -> str:
    """Return a time in UTC with milliseconds (RFC 3339)."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
