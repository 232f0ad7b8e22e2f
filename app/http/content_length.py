"""The header Content-Length."""

from __future__ import annotations

MOST_DIGITS = 18
"""Digits of the longest number that is read: more bytes than a body ever has."""


def read_content_length(value: bytes | None) -> int | None:
    """Return the number of bytes that a header announces; None without it, or if it is no such number."""
    return int(value) if value is not None and value.isdigit() and len(value) <= MOST_DIGITS else None
