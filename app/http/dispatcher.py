"""Dispatcher: sends each request to a thread or a process, refuses what would wait too long, and ends what nobody awaits."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.admission import Admission, Overloaded
from app.http.body import LARGE
from app.http.content_length import read_content_length
from app.http.disconnection import while_connected
from app.http.executor import ComputeExecutor, Lane
from app.http.operation import Server
from app.http.problem_details import refusal_response
from app.http.request_task import RequestTask
from app.http.service_times import ServiceTimes
from app.telemetry.request_record import CLIENT_LEFT
from core.arrays import CheckDeadline
from core.cost import Cost
from core.errors import Refusal

LONG_SECONDS = 0.25
"""Expected time beyond which a computation runs in a process, where it can be ended in the middle of an operation."""

UNREAD = 2**20
"""Number of bytes of an unread body beyond which the connection is closed: reading it would cost more than a new one."""


ADMISSION = "gradd.admission"
"""The name of the lane and the admission of a computation in the ASGI scope of its request."""


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
        """The paths of computations."""

    def computes(self, path: str) -> bool:
        """Return whether a path is one of a computation. It is known once its first request has arrived."""
        return path in self._computed

    async def admit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer a request; refuse a computation that would wait too long before its body is read."""
        if not self.computes(scope["path"]):
            await app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        size = read_content_length(length) or 0
        lane: Lane = "processes" if size > LARGE else "threads"
        try:
            admission = self._executor.admit(lane, self._times.expected(scope["path"], size))
        except Overloaded as error:
            closing = {"Connection": "close"} if size > UNREAD else {}
            await refusal_response(error, scope["path"], {**error.headers, **closing})(scope, receive, send)
            return
        scope[ADMISSION] = lane, admission
        try:
            await app(scope, receive, send)
        finally:
            admission.end()

    async def store(self, path: str, work: Callable[[CheckDeadline], Response]) -> Response:
        """Answer a request that reads or writes what is stored, or whose body is a file, in a thread.

        Raises:
            Refusal: `overloaded`, `timeout`, and the refusals of `work`.
        """
        admission = self._executor.admit("storage", self._times.expected(path, 0))
        return await self._executor.run(self._timed(work, path, 0), admission, "storage")

    async def answer(self, task: RequestTask, request: Request) -> Response:
        """Answer a request whose body has been received.

        Raises:
            Refusal: with all errors of the request.
        """
        path, size = task.path, task.body.size
        expected = self._times.expected(path, size)
        if not task.operation.is_pure:
            work = self._timed(lambda check_deadline: task.answer(self._server, check_deadline), path, size)
            return await self._executor.run(work, self._executor.admit("storage", expected), "storage")
        self._computed.add(path)
        async with while_connected(request) as stop:
            if not task.body.is_large:
                try:
                    work = self._timed(self._in_thread(task), path, size)
                    return await self._executor.run(work, self._admission(request, "threads", expected), stop=stop)
                except TooLong as long:
                    expected = long.seconds
            start = time.perf_counter()
            computed = await self._executor.run_in_process(task, self._admission(request, "processes", expected))
            if task.body.is_large:
                self._times.measured(path, size, time.perf_counter() - start)
                with suppress(Refusal):  # It was not known before; the next requests will have to wait.
                    self._server.admit(task.caller, computed.cost)
            return computed.response
        return Response(status_code=CLIENT_LEFT)

    def _admission(self, request: Request, lane: Lane, expected: float) -> Admission:
        """Return the admission that a request has to a lane already, or a new one."""
        admitted, admission = request.scope.get(ADMISSION, ("", None))
        if admitted == lane and admission:
            return cast("Admission", admission)
        if admission:
            admission.end()
        return self._executor.admit(lane, expected)

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
