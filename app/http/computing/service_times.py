"""ServiceTimes: how long requests take, measured, by their path and the size of their body."""

from __future__ import annotations

from threading import Lock

from cachetools import LRUCache

FIRST_SECONDS = 0.002
"""What a request of an unknown class is expected to take, besides its bytes."""

BYTES_PER_SECOND = 30e6
"""Bytes of JSON that are read, computed and answered in a second, where nothing was measured yet."""

_WEIGHT = 0.1
"""Weight of the last request in the average of its class."""


class ServiceTimes:
    """Averages of the seconds that requests took, by powers of two of their size. Several threads may use it."""

    def __init__(self) -> None:
        self._seconds: LRUCache[tuple[str, int], float] = LRUCache(1_000)
        self._lock = Lock()

    def expected(self, path: str, size: int) -> float:
        """Return the seconds that a request with a body of so many bytes is expected to take."""
        with self._lock:
            known = self._seconds.get((path, size.bit_length()))
        return known or FIRST_SECONDS + size / BYTES_PER_SECOND

    def measured(self, path: str, size: int, seconds: float) -> None:
        """Take note that a request took so many seconds."""
        before = self.expected(path, size)
        with self._lock:
            self._seconds[path, size.bit_length()] = before + _WEIGHT * (seconds - before)
