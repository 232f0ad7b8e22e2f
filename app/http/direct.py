"""Direct answers: requests of known, fast forms are answered on the event loop, in front of routing and FastAPI.

Everything else passes on to the application with the body as it came: other routes, unknown forms, large, compressed or slow
bodies, and every request that would be refused, so that a refusal has one source.
"""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.http.caller import Caller, caller_of
from app.http.computing.deadline import deadline_in
from app.http.content_length import read_content_length
from app.http.endpoint import too_slow
from app.http.negotiation import Format, format_of_answer, format_of_body
from app.http.operation import Operation, Server, Wanted
from app.telemetry.request_record import current
from app.wire.form_key import SMALL
from core.cost import Cost


class DirectAnswers:
    """The operations that are answered directly, by path. Routes add theirs when they handle their first request."""

    def __init__(self, server: Server) -> None:
        self.settings = server.settings
        self._server = server
        self._operations: dict[str, Operation[Any]] = {}

    def offer(self, path: str, operation: Operation[Any]) -> None:
        """Answer known forms of an operation directly from now on."""
        self._operations[path] = operation

    def operation(self, scope: Scope) -> Operation[Any] | None:
        """Return the operation that may answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
            return None
        return self._operations.get(scope["path"])

    def answer(
        self, operation: Operation[Any], headers: dict[bytes, bytes], body: bytes, caller: Caller
    ) -> Response | None:
        """Return the response to a request of a known, fast form, or None."""
        start = time.perf_counter()
        try:
            sent, wanted = _formats(
                headers.get(b"content-type", b""),
                headers.get(b"accept", b""),
                headers.get(b"accept-encoding", b""),
                tuple(operation.documents),
            )
            reading = operation.read_small(body, sent)
            key = operation.key(reading) if reading else None
            if reading is None or key is None or not self._server.forms.is_fast(key):
                return None
            form = self._server.forms.find(key)
            check_deadline = deadline_in(self.settings.max_seconds)

            def admit(cost: Cost) -> None:
                self._server.admit(caller, cost)

            response = operation.answer(reading, form, wanted, self._server, check_deadline, caller, admit)
        except Exception:
            return None
        self._server.metrics.observe_compute(time.perf_counter() - start)
        return response


async def answer_directly(direct: DirectAnswers, scope: Scope, receive: Receive, send: Send) -> Receive | None:
    """Answer a request directly, if it can be.

    Returns:
        None if it has been answered; otherwise the function from which the application receives the request.
    """
    operation = direct.operation(scope)
    headers = _single(scope["headers"]) if operation else None
    if operation is None or headers is None or not _is_small(headers, min(SMALL, direct.settings.max_body_bytes)):
        return receive
    if record := current.get():
        record.route = scope["path"]  # Operations have paths without parameters.
    message = _received_already(receive)
    messages = [] if message is None else [message]
    if message is None or message.get("more_body"):
        try:
            async with asyncio.timeout(direct.settings.max_body_seconds):
                while not messages or messages[-1].get("more_body"):
                    messages.append(await receive())  # The server ends the body at the length that was announced.
        except TimeoutError:
            await too_slow(direct.settings, scope["path"])(scope, receive, send)
            return None
    response = None
    if messages[-1]["type"] == "http.request":
        body = b"".join(message["body"] for message in messages)
        response = direct.answer(operation, headers, body, caller_of(scope))
    if response is None:
        return _preceded_by(messages, receive)
    await response(scope, receive, send)
    return None


def _single(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """Return the headers by name; None if one occurs twice."""
    found = dict(headers)
    return found if len(found) == len(headers) else None


def _is_small(headers: dict[bytes, bytes], limit: int) -> bool:
    """Return whether the headers announce a body within a limit, without a content encoding."""
    length = read_content_length(headers.get(b"content-length"))
    return length is not None and length <= limit and b"content-encoding" not in headers


@lru_cache(maxsize=256)
def _formats(
    content_type: bytes, accept: bytes, accept_encoding: bytes, documents: tuple[str, ...]
) -> tuple[Format, Wanted]:
    """Return the format of a body, and how its answer is wanted, from the values of headers.

    Raises:
        Refusal: if one of them is not known.
    """
    wanted = Wanted(format_of_answer(accept.decode("latin-1"), documents), accept_encoding.decode("latin-1"))
    return format_of_body(content_type.decode("latin-1")), wanted


def _received_already(receive: Receive) -> Message | None:
    """Return the next message if it has arrived; None if one would have to wait for it.

    A body that came with its head needs no timer, which would take a tenth of the time of a small request.
    """
    step = receive().__await__()
    try:
        next(step)
    except StopIteration as arrived:
        message: Message = arrived.value
        return message
    step.close()
    return None


def _preceded_by(messages: list[Message], receive: Receive) -> Receive:
    """Return a function that receives messages again, and then what follows them."""
    waiting = messages[::-1]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
