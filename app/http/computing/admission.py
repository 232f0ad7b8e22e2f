"""Admission: a queue of requests in front of places where they are computed, by the time that each is expected to take.

Two rules keep answers quick whatever is asked of the service:

* Small requests overtake large ones, within a bound. Whoever waits has a due time, `arrival + PATIENCE * expected seconds`,
  and the earliest due time is served first. A request of 10 s is overtaken by what arrives within the next
  `10 * PATIENCE` seconds and by nothing after that, so nobody starves.
* Up to the capacity, requests wait. Far beyond it, a request that would wait for longer than it takes is refused at once: a
  queue that is always full delays every answer and serves none more ("standing queue"; K. Nichols and V. Jacobson,
  Controlling Queue Delay, ACM Queue 10(5), 2012). How much is asked is measured: the seconds of work that arrived within
  the last second or more, relative to the seconds that the places can work.
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
"""Shortest time over which the load is averaged."""

WINDOW_REQUESTS = 10
"""The load is averaged over the time that at least so many typical requests take: one long request is no load."""

_WEIGHT = 0.1
"""Weight of the last request in what is typical."""


class Overloaded(RetryLater):
    """There is no room for a request now."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__("overloaded", detail, retry_after)


class Admission:
    """A request that a queue has admitted: its body is on the way, it waits, or it is computed."""

    def __init__(self, queue: AdmissionQueue, expected: float) -> None:
        self._queue = queue
        self.expected = expected
        """The seconds that it is expected to take."""

        self._is_over = False

    def end(self) -> None:
        """Let others have the room of this request. Nothing happens the second time."""
        if not self._is_over:
            self._is_over = True
            self._queue.forget(self.expected)


class AdmissionQueue:
    """The queue in front of a number of places. It belongs to one event loop."""

    def __init__(self, places: int, max_waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._max_waiting = max_waiting
        self._clock = clock
        self._free = places
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        """Due time, number of arrival, and the future that ends the wait."""

        self._arrivals = 0
        self._admitted = 0
        """Number of requests that were admitted and are not over."""

        self._expected_seconds = 0.0
        """Sum of what those are expected to take."""

        self._typical = 0.0
        """What the last requests were expected to take, on average."""

        self._load = 0.0
        self._load_at = clock()

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a place."""
        return len(self._waiting)

    def offered(self) -> float:
        """Return the load of the last time: 1 if just as much was asked as can be computed."""
        now = self._clock()
        self._load *= math.exp((self._load_at - now) / self._window)
        self._load_at = now
        return self._load

    @property
    def _window(self) -> float:
        return max(WINDOW_SECONDS, WINDOW_REQUESTS * self._typical)

    def admit(self, expected: float) -> Admission:
        """Admit a request that has arrived, or refuse it if it would have to wait too long.

        Args:
            expected: the seconds that it is expected to take.

        Raises:
            Overloaded: if too many are there already, or if it would wait for longer than it takes while far too much is
                asked.
        """
        load = self.offered()
        self._typical += (expected - self._typical) * (_WEIGHT if self._typical else 1.0)
        self._load += expected / self._places / self._window
        waiting = self._admitted - self._places
        if waiting >= 0:
            wait = self._expected_seconds / self._places
            if waiting >= self._max_waiting or (load > OVERLOAD and wait > expected):
                raise Overloaded("The server has more requests than it can compute now.", max(1, math.ceil(wait)))
        self._admitted += 1
        self._expected_seconds += expected
        return Admission(self, expected)

    def forget(self, expected: float) -> None:
        """Leave an admitted request out of account."""
        self._admitted -= 1
        self._expected_seconds = max(0.0, self._expected_seconds - expected) if self._admitted else 0.0

    @asynccontextmanager
    async def place(self, admission: Admission) -> AsyncIterator[None]:
        """Wait for a place, and hold it within the block. The admission ends with it."""
        try:
            await self._take(admission.expected)
            try:
                yield
            finally:
                self._pass_on()
        finally:
            admission.end()

    async def _take(self, expected: float) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        entry = (self._clock() + PATIENCE * expected, self._arrivals, turn)
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
