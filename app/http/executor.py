"""The compute executor: runs computations off the event loop, a few at a time, each with a deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from core.errors import Issue, Refusal

T = TypeVar("T")
CheckDeadline = Callable[[], None]


class Overloaded(Refusal):
    """The queue before the executor is full; `retry_after` is an estimate from the requests of late, in seconds."""

    def __init__(self, retry_after: int) -> None:
        detail = "All threads that compute are busy, and the queue before them is full."
        super().__init__([Issue(code="overloaded", detail=detail, hint=f"Try again in {retry_after} s.")])
        self.retry_after = retry_after


class ComputeExecutor:
    """Runs computations in threads. NumPy and BLAS release the interpreter, so the event loop goes on answering."""

    def __init__(self, threads: int, max_waiting: int, max_seconds: float) -> None:
        self._limiter = CapacityLimiter(threads)
        self._threads = threads
        self._max_waiting = max_waiting
        self._max_seconds = max_seconds
        self._typical_seconds = 0.1

    async def run(self, work: Callable[[CheckDeadline], T]) -> T:
        """The result of `work`, which is given a function that raises once its time is up, to be called now and then.

        Raises:
            Overloaded: at once, if too many are waiting already.
            Refusal: `timeout`.
        """
        waiting = self._limiter.statistics().tasks_waiting
        if waiting >= self._max_waiting and self._limiter.available_tokens < 1:
            raise Overloaded(max(1, math.ceil(self._typical_seconds * (waiting + 1) / self._threads)))
        return await to_thread.run_sync(self._timed, work, limiter=self._limiter)

    def _timed(self, work: Callable[[CheckDeadline], T]) -> T:
        start = time.monotonic()
        deadline = start + self._max_seconds

        def check_deadline() -> None:
            if time.monotonic() > deadline:
                detail = f"The computation was ended after {self._max_seconds:g} s."
                raise Refusal.of("timeout", detail, expected=self._max_seconds)

        try:
            return work(check_deadline)
        finally:
            self._typical_seconds += 0.1 * (time.monotonic() - start - self._typical_seconds)
