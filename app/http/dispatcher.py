"""Dispatcher: sends each request to a thread or a process, refuses what would wait too long, and ends what nobody awaits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from anyio import CancelScope
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.http.admission import Overloaded
from app.http.body import LARGE
from app.http.executor import ComputeExecutor, Lane
from app.http.operation import Server
from app.http.problem_details import refusal_response
from app.http.request_task import RequestTask
from app.http.service_times import ServiceTimes
from core.arrays import CheckDeadline
from core.cost import Cost
from core.errors import Refusal

LONG_SECONDS = 0.25
"""Expected time beyond which a computation runs in a process, where it can be ended in the middle of an operation."""

UNREAD = 2**20
"""Number of bytes of an unread body beyond which the connection is closed: reading it would cost more than a new one."""

NOBODY = 499
"""Status of the answer that nobody reads, because the client has left. It is seen in logs alone."""


class TooLong(Exception):
    """A computation is too long for a thread. `seconds` is the time that it is expected to take."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Dispatcher:
    """The way of requests to where they are computed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._executor = ComputeExecutor(server.settings, server.metrics)
        self._times = ServiceTimes()
        self._computed: set[str] = set()
        """The paths of computations. Each is known once its first request has arrived."""

    def refusal_of(self, scope: Scope) -> Response | None:
        """Return the refusal of a computation that would wait too long, before its body is read; None if it may go on."""
        if scope["type"] != "http" or scope["path"] not in self._computed:
            return None
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        size = int(length) if length.isdigit() and len(length) < 16 else 0
        try:
            lane: Lane = "processes" if size > LARGE else "threads"
            self._executor.refuse_if_overloaded(lane, self._times.expected(scope["path"], size))
        except Overloaded as error:
            closing = {"Connection": "close"} if size > UNREAD else {}
            return refusal_response(error, scope["path"], {**error.headers, **closing})
        return None

    async def store(self, path: str, work: Callable[[CheckDeadline], Response]) -> Response:
        """Answer a request that reads or writes what is stored, or whose body is a file, in a thread.

        Raises:
            Refusal: `overloaded`, `timeout`, and the refusals of `work`.
        """
        return await self._executor.run(self._timed(work, path, 0), self._times.expected(path, 0), "storage")

    async def answer(self, task: RequestTask, request: Request) -> Response:
        """Answer a request whose body has been received.

        Raises:
            Refusal: with all errors of the request.
        """
        size = task.body.size
        expected = self._times.expected(task.path, size)
        if not task.operation.is_pure:
            work = self._timed(lambda check_deadline: task.answer(self._server, check_deadline), task.path, size)
            return await self._executor.run(work, expected, "storage")
        self._computed.add(task.path)
        async with _while_connected(request) as stop:
            if not task.body.is_large:
                try:
                    return await self._executor.run(
                        self._timed(self._in_thread(task), task.path, size), expected, stop=stop
                    )
                except TooLong as long:
                    expected = long.seconds
            left = self._server.operations_left(task.caller) if task.body.is_large else None
            computed = await self._executor.run_in_process(task, expected, left)
            if computed.response is None:
                self._server.admit(task.caller, computed.cost)  # This refuses it, unless a minute has just passed.
                computed = await self._executor.run_in_process(task, expected)
            elif task.body.is_large:
                with suppress(Refusal):  # Another request has used them meanwhile.
                    self._server.admit(task.caller, computed.cost)
            if computed.response is not None:
                return computed.response
        return Response(status_code=NOBODY)

    def _in_thread(self, task: RequestTask) -> Callable[[CheckDeadline], Response]:
        def admit(cost: Cost) -> None:
            self._server.admit(task.caller, cost)
            if cost.seconds > LONG_SECONDS:
                raise TooLong(cost.seconds)

        return lambda check_deadline: task.answer(self._server, check_deadline, admit)

    def _timed(
        self, work: Callable[[CheckDeadline], Response], path: str, size: int
    ) -> Callable[[CheckDeadline], Response]:
        """Return the same work, which is measured if it is completed."""

        def timed(check_deadline: CheckDeadline) -> Response:
            start = time.perf_counter()
            response = work(check_deadline)
            self._times.measured(path, size, time.perf_counter() - start)
            return response

        return timed


@asynccontextmanager
async def _while_connected(request: Request) -> AsyncIterator[CancelScope]:
    """Cancel the block when the client leaves."""
    with CancelScope() as scope:
        watcher = asyncio.create_task(_cancel_when_left(request, scope))
        try:
            yield scope
        finally:
            watcher.cancel()


async def _cancel_when_left(request: Request, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
