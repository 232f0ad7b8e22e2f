"""The polling interval of everyone who waits for jobs."""

from __future__ import annotations

POLL_SECONDS = 0.2
"""Seconds between two queries. They are short; notifications would need a connection for every listener."""
