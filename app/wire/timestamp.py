"""Moments as JSON has them."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(time: datetime) -> str:
    """A moment in UTC, to the millisecond (RFC 3339)."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
