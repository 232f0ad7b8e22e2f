"""Dispatcher: sends each request to a thread or a process, refuses what would wait too long, and ends what nobody awaits."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.body import LARGE
from app.http.computing.admission import Admission, Overloaded
from app.http.computing.executor import ComputeExecutor, Lane
from app.http.computing.request_task import RequestTask, TooLarge
from app.http.computing.service_times import ServiceTimes
from app.http.content_length import read_content_length
from app.http.disconnection import while_connected
from app.http.operation import Server
from app.http.problem_details import refusal_response
from app.telemetry.request_record import CLIENT_LEFT
from core.arrays import CheckDeadline
from core.cost import Cost
from core.errors import Refusal

LONG_SECONDS = 0.1
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
            return await self._answer_stored(task, expected)
        self._computed.add(path)
        async with while_connected(request) as stop:
            is_charged = False
            if not task.body.is_large:
                try:
                    work = self._timed(self._in_thread(task), path, size)
                    return await self._executor.run(work, self._admission(request, "threads", expected), stop=stop)
                except TooLong as long:
                    expected, is_charged = long.seconds, True
                except TooLarge:
                    pass
            admission = self._admission(request, "processes", expected)
            return await self._in_process(task, admission, is_charged=is_charged)
        return Response(status_code=CLIENT_LEFT)

    async def _answer_stored(self, task: RequestTask, expected: float) -> Response:
        """Answer a request that changes what is stored. A large body is read elsewhere before."""
        settings, reading = self._server.settings, None
        if task.body.is_large:
            reading = await self._executor.read_in_process(task, self._executor.admit("processes", expected))

        def answer(check_deadline: CheckDeadline) -> Response:
            return task.answer(reading or task.read(settings, LARGE), self._server, check_deadline)

        work = self._timed(answer, task.path, task.body.size)
        try:
            return await self._executor.run(work, self._executor.admit("storage", expected), "storage")
        except TooLarge:
            reading = await self._executor.read_in_process(task, self._executor.admit("processes", expected))
            return await self._executor.run(work, self._executor.admit("storage", expected), "storage")

    async def _in_process(self, task: RequestTask, admission: Admission, *, is_charged: bool) -> Response:
        """Compute in a process, and charge the caller with the cost if that was not known before."""
        start = time.perf_counter()
        left = None if is_charged else self._server.operations_left(task.caller)
        computed = await self._executor.compute_in_process(task, admission, left)
        if computed.response is None:
            self._server.admit(task.caller, computed.cost)  # This refuses it, unless a minute has just passed.
            admission = self._executor.admit("processes", computed.cost.seconds)
            computed = await self._executor.compute_in_process(task, admission)
        elif not is_charged:
            self._times.measured(task.path, task.body.size, time.perf_counter() - start)
            with suppress(Refusal):  # Another request has used them meanwhile.
                self._server.admit(task.caller, computed.cost)
        if computed.response is None:
            raise AssertionError("without a limit of operations there is a response")
        return computed.response

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

        def work(check_deadline: CheckDeadline) -> Response:
            reading = task.read(self._server.settings, LARGE)
            return task.answer(reading, self._server, check_deadline, admit)

        return work

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
