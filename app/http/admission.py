"""Admission: a queue of requests in front of places where they are computed, by the time that each is expected to take.

Two rules keep answers quick whatever is asked of the service:

* Small requests overtake large ones, within a bound. Whoever waits has a due time, `arrival + PATIENCE * expected seconds`,
  and the earliest due time is served first. A request of 10 s is overtaken by what arrives within the next
  `10 * PATIENCE` seconds and by nothing after that, so nobody starves.
* Up to the capacity, requests wait. Far beyond it, a request that would wait for longer than it takes is refused at once: a
  queue that is always full delays every answer and serves none more ("standing queue"; K. Nichols and V. Jacobson,
  Controlling Queue Delay, ACM Queue 10(5), 2012). How much is asked is measured: the seconds of work that arrived within
  the last second, relative to the seconds that the places can work.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.http.retry_later import RetryLater

PATIENCE = 2.0
"""Seconds that a request waits behind later ones for each second that it takes itself."""

OVERLOAD = 2.0
"""Load beyond which a request is refused that would wait for longer than it takes. Closed loops, in which clients wait for
their answers, reach a load of 1; bursts stay below 2 on average over a second."""

WINDOW_SECONDS = 1.0
"""Time constant of the average of the load."""


class Overloaded(RetryLater):
    """There is no room for a request now."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__("overloaded", detail, retry_after)


class AdmissionQueue:
    """The queue in front of a number of places. It belongs to one event loop."""

    def __init__(self, places: int, max_waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._max_waiting = max_waiting
        self._clock = clock
        self._free = places
        self._waiting: list[tuple[float, int, float, asyncio.Future[None]]] = []
        """Due time, number of arrival, expected seconds, and the future that ends the wait."""

        self._arrivals = 0
        self._expected_seconds = 0.0
        """Sum of the expected seconds of all requests that wait or are computed."""

        self._load = 0.0
        self._load_at = clock()

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return len(self._waiting)

    def offered(self) -> float:
        """Return the load of about the last second: 1 if just as much was asked as can be computed."""
        now = self._clock()
        self._load *= math.exp((self._load_at - now) / WINDOW_SECONDS)
        self._load_at = now
        return self._load

    def refuse_if_overloaded(self, expected: float) -> None:
        """Count a request that arrives and is expected to take so many seconds, and refuse it if it had to wait too long.

        Raises:
            Overloaded: if too many wait already, or if it would wait for longer than it takes while far too much is asked.
        """
        load = self.offered()
        self._load += expected / self._places / WINDOW_SECONDS
        if self._free:
            return
        if len(self._waiting) >= self._max_waiting or (load > OVERLOAD and self._wait() > expected):
            raise self._overloaded()

    def _wait(self) -> float:
        """Return the seconds that a request would wait behind all others."""
        return self._expected_seconds / self._places

    def _overloaded(self) -> Overloaded:
        return Overloaded("The server has more requests than it can compute now.", max(1, math.ceil(self._wait())))

    @asynccontextmanager
    async def place(self, expected: float) -> AsyncIterator[None]:
        """Wait for a place, and hold it within the block.

        Args:
            expected: the seconds that the request is expected to take.

        Raises:
            Overloaded: if too many wait already.
        """
        if not self._free and len(self._waiting) >= self._max_waiting:
            raise self._overloaded()
        self._expected_seconds += expected
        try:
            await self._take(expected)
            try:
                yield
            finally:
                self._pass_on()
        finally:
            self._expected_seconds -= expected

    async def _take(self, expected: float) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        entry = (self._clock() + PATIENCE * expected, self._arrivals, expected, turn)
        heapq.heappush(self._waiting, entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # The place came at the same moment.
            elif entry in self._waiting:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def _pass_on(self) -> None:
        """Give the place to whoever is due first."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[-1]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
