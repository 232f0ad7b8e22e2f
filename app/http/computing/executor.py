"""The compute executor: runs computations off the event loop, each with a deadline, and ends those that nobody waits for.

Small computations run in threads, where they are fast: NumPy and BLAS release the interpreter lock, so the event loop stays
responsive. Large ones run in processes, which can be killed in the middle of a product or a decomposition, and whose
interpreter lock is their own. Which of the two a request takes follows from the request alone, so it has the same bits
whatever else the server does.
"""

from __future__ import annotations

import logging
import math
import os
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal, TypeVar

from anyio import BrokenWorkerProcess, CancelScope, CapacityLimiter, fail_after, to_process, to_thread

from app.http.computing.admission import Admission, AdmissionQueue, Overloaded
from app.http.computing.compute_process import Computed, answer_in_process, read_in_process
from app.http.computing.deadline import deadline_in, timed_out
from app.http.computing.request_task import RequestTask
from app.http.operation import Reading
from app.settings import Settings
from app.telemetry.request_metrics import RequestMetrics
from core.arrays import CheckDeadline
from core.errors import Refusal

T = TypeVar("T")
Lane = Literal["threads", "processes", "storage"]

STORAGE_THREADS = 4
"""Number of requests at a time that read or write what is stored. They wait for the database more than they compute."""

START_SECONDS = 20.0
"""Time beyond the deadline after which a process is killed from here, should it not have started or not have ended itself."""

ENDED = "The process that computed the answer was ended: it may have needed more memory than the server has."

logger = logging.getLogger("gradd")


class ComputeExecutor:
    """Runs computations in threads and processes, of each a limited number at a time."""

    def __init__(self, settings: Settings, metrics: RequestMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._lanes = {
            "threads": AdmissionQueue(settings.compute_threads, settings.max_waiting),
            "processes": AdmissionQueue(settings.compute_processes, settings.max_waiting),
            "storage": AdmissionQueue(STORAGE_THREADS, settings.max_waiting),
        }
        # The queues limit all of them; these are as wide, so that nobody waits there.
        self._threads = CapacityLimiter(settings.compute_threads + STORAGE_THREADS)
        self._processes = CapacityLimiter(settings.compute_processes)

    def admit(self, lane: Lane, expected: float) -> Admission:
        """Admit a request that is expected to take so many seconds to a lane.

        Raises:
            Overloaded: if it would have to wait too long.
        """
        return self._lanes[lane].admit(expected)

    async def run(
        self,
        work: Callable[[CheckDeadline], T],
        admission: Admission,
        lane: Literal["threads", "storage"] = "threads",
        stop: CancelScope | None = None,
    ) -> T:
        """Run `work` in a thread and return its result.

        Args:
            work: the computation. It is passed a function to call regularly, which raises once the deadline has passed or
                `stop` was cancelled.
            admission: that of the lane.
            lane: whether it computes, or reads and writes what is stored. Neither waits for the other.
            stop: the scope that is cancelled when nobody waits for the result any more.

        Returns:
            The result of `work`.

        Raises:
            Refusal: `timeout`, and the refusals of `work`.
        """
        async with self._place(lane, admission):
            return await to_thread.run_sync(self._run_with_deadline, work, stop, limiter=self._threads)

    @asynccontextmanager
    async def _place(self, lane: Lane, admission: Admission) -> AsyncIterator[None]:
        """Wait for a place in a lane, and measure the wait and the time in the block."""
        asked = time.monotonic()
        async with self._lanes[lane].place(admission):
            start = time.monotonic()
            self._metrics.observe_queue(start - asked)
            try:
                yield
            except Refusal as refusal:
                if refusal.is_timeout:
                    self._metrics.count_killed("timeout")
                raise
            except CancelledError:
                self._metrics.count_killed("left")
                raise
            finally:
                self._metrics.observe_compute(time.monotonic() - start)

    def _run_with_deadline(self, work: Callable[[CheckDeadline], T], stop: CancelScope | None) -> T:
        seconds = self._settings.max_seconds
        check_deadline = deadline_in(seconds)

        def check() -> None:
            if stop is not None and stop.cancel_called:
                raise timed_out(seconds)  # Nobody reads it.
            check_deadline()

        return work(check)

    async def compute_in_process(
        self, task: RequestTask, admission: Admission, operations: float | None = None
    ) -> Computed:
        """Answer a request in a process, which is killed once the deadline has passed or the caller is cancelled.

        Args:
            task: the request.
            admission: that of the lane of processes.
            operations: the number of operations beyond which nothing is computed.

        Returns:
            The response, and its cost as it was estimated.

        Raises:
            Refusal: `timeout`, `overloaded` if the process ended by itself, and the refusals of the request.
        """
        work = partial(answer_in_process, task, self._settings, operations)
        return await self._run_in_process(work, task.path, admission)

    async def read_in_process(self, task: RequestTask, admission: Admission) -> Reading:
        """Read the body of a request in a process, so that it does not hold the interpreter lock of this one.

        Raises:
            Refusal: as `compute_in_process` does.
        """
        return await self._run_in_process(
            partial(read_in_process, task.to_be_read(), self._settings), task.path, admission
        )

    async def _run_in_process(self, work: Callable[[], T], path: str, admission: Admission) -> T:
        seconds = self._settings.max_seconds
        async with self._place("processes", admission):
            start = time.monotonic()
            try:
                # anyio forgets a process that is cancelled while it starts, and then nothing ever ends it. Whoever comes
                # here leaves an idle process behind, which is the one that the request takes.
                with CancelScope(shield=True):
                    await to_process.run_sync(os.getpid, limiter=self._processes)
                with fail_after(seconds + START_SECONDS):
                    return await to_process.run_sync(work, cancellable=True, limiter=self._processes)
            except TimeoutError:
                raise timed_out(seconds) from None
            except BrokenWorkerProcess as error:
                if time.monotonic() - start >= seconds:
                    raise timed_out(seconds) from None  # It ended itself, in the middle of an operation.
                logger.error("A compute process ended in the middle of %s.", path)
                raise Overloaded(ENDED, max(1, math.ceil(admission.expected))) from error
