"""The compute executor: runs a limited number of computations at a time off the event loop, each with a deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.telemetry.request_metrics import RequestMetrics
from core.arrays import CheckDeadline
from core.errors import Issue, Refusal

T = TypeVar("T")


class Overloaded(Refusal):
    """The executor's queue is full. `retry_after` estimates the waiting time in seconds from recent requests."""

    def __init__(self, retry_after: int) -> None:
        detail = "All computing threads are busy, and the queue of waiting requests is full."
        super().__init__([Issue(code="overloaded", detail=detail, hint=f"Try again in {retry_after} s.")])
        self.retry_after = retry_after


class ComputeExecutor:
    """Runs computations in threads. NumPy and BLAS release the interpreter lock, so the event loop stays responsive."""

    def __init__(self, threads: int, max_waiting: int, max_seconds: float, metrics: RequestMetrics) -> None:
        self._limiter = CapacityLimiter(threads)
        self._threads = threads
        self._max_waiting = max_waiting
        self._max_seconds = max_seconds
        self._metrics = metrics
        self._typical_seconds = 0.1

    async def run(self, work: Callable[[CheckDeadline], T]) -> T:
        """Run `work` in a thread and return its result.

        Args:
            work: the computation. It is passed a function to call regularly, which raises once the deadline has passed.

        Returns:
            The result of `work`.

        Raises:
            Overloaded: immediately, if too many computations are waiting.
            Refusal: `timeout`, and the refusals of `work`.
        """
        waiting = self._limiter.statistics().tasks_waiting
        if waiting >= self._max_waiting and self._limiter.available_tokens < 1:
            raise Overloaded(max(1, math.ceil(self._typical_seconds * (waiting + 1) / self._threads)))
        return await to_thread.run_sync(self._run_with_deadline, work, time.monotonic(), limiter=self._limiter)

    def _run_with_deadline(self, work: Callable[[CheckDeadline], T], asked: float) -> T:
        start = time.monotonic()
        self._metrics.observe_queue(start - asked)
        try:
            return work(deadline_in(self._max_seconds))
        except Refusal as refusal:
            if refusal.is_timeout:
                self._metrics.count_killed("timeout")
            raise
        finally:
            seconds = time.monotonic() - start
            self._metrics.observe_compute(seconds)
            self._typical_seconds += 0.1 * (seconds - self._typical_seconds)


def deadline_in(seconds: float) -> CheckDeadline:
    """Return a function that raises a refusal, `timeout`, once so many seconds have passed from now on."""
    deadline = time.monotonic() + seconds

    def check_deadline() -> None:
        if time.monotonic() > deadline:
            raise Refusal.of("timeout", f"The computation was stopped after {seconds:g} s.", expected=seconds)

    return check_deadline
