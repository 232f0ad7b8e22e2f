"""Endpoint: reads the body of one request, computes off the event loop, and writes the answer.

Routes with tensors use it instead of FastAPI's own parsing, which would pass every number through pydantic. `describe`
declares the body and the answer beside the route, so that the OpenAPI schema stays complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.http.caller import caller_of
from app.http.compression import decompress
from app.http.executor import Overloaded
from app.http.negotiation import format_of_answer, format_of_body
from app.http.operation import Compute, Documents, Encoding, Operation, Server, Wanted, write
from app.http.problem_details import problem_response, refusal_response
from app.http.problem_types import PROBLEM_TYPES
from app.http.reply import Reply
from app.settings import Settings
from core.arrays import CheckDeadline
from core.errors import Refusal

M = TypeVar("M", bound=BaseModel)


class Endpoint:
    """One request, and what the server needs to answer it."""

    def __init__(self, request: Request, server: Server) -> None:
        self.request = request
        self.settings = server.settings
        self._server = server

    async def handle(self, model: type[M], compute: Compute[M], documents: Documents | None = None) -> Response:
        """Read the body as `model`, run `compute` in the executor, and answer with its result; see `Operation`."""
        return await self.run(Operation(model, compute, documents or {}))

    async def run(self, operation: Operation[M]) -> Response:
        """Read the body, run the operation in the executor, and answer with its result.

        Raises:
            Refusal: with all errors of the request.
        """
        headers, settings, caller = self.request.headers, self.settings, caller_of(self.request.scope)
        wanted = self._wanted(operation.documents)
        form = format_of_body(headers.get("content-type"))
        try:
            async with asyncio.timeout(settings.max_body_seconds):
                body = await _read(self.request, settings.max_body_bytes)
        except TimeoutError:
            return self.too_slow()
        except ClientDisconnect:
            return Response(status_code=400)

        def response(check_deadline: CheckDeadline) -> Response:
            plain = decompress(body, headers.get("content-encoding"), limit=settings.max_body_bytes)
            reading = operation.read(plain, form)
            key = operation.key(reading)
            known = self._server.forms.find(key) if key else None
            return operation.answer(reading, known, wanted, self._server, check_deadline, caller)

        return await self._run(response)

    async def produce(self, work: Callable[[CheckDeadline], tuple[dict[str, Any] | Reply, Encoding]]) -> Response:
        """Run `work` in the executor and answer with its result.

        Args:
            work: returns the answer and the encoding of its tensors.

        Returns:
            The response.

        Raises:
            Refusal: `not-acceptable`, and the refusals of `work`.
        """
        wanted = self._wanted({})

        def response(check_deadline: CheckDeadline) -> Response:
            reply, encoding = work(check_deadline)
            return write(reply if isinstance(reply, Reply) else Reply(reply), wanted, {}, encoding)

        return await self._run(response)

    def _wanted(self, documents: Documents) -> Wanted:
        headers = self.request.headers
        return Wanted(format_of_answer(headers.get("accept"), list(documents)), headers.get("accept-encoding"))

    async def download(self, filename: str, work: Callable[[], tuple[bytes, str]]) -> Response:
        """Answer with a file. `work` runs in the executor and returns the bytes and the media type."""

        def response(_: CheckDeadline) -> Response:
            content, media_type = work()
            return Response(content, 200, {"Content-Disposition": f'attachment; filename="{filename}"'}, media_type)

        return await self._run(response)

    async def _run(self, response: Callable[[CheckDeadline], Response]) -> Response:
        try:
            return await self._server.executor.run(response)
        except Overloaded as error:
            return refusal_response(error, self.request.url.path, {"Retry-After": str(error.retry_after)})

    def too_slow(self) -> Response:
        """Return the answer to a body that did not arrive in time."""
        return too_slow(self.settings, self.request.url.path)


def too_slow(settings: Settings, path: str) -> Response:
    """Return the answer to a body that did not arrive in time."""
    detail = f"The body did not arrive within {settings.max_body_seconds:g} s."
    return problem_response(PROBLEM_TYPES["request-timeout"], detail, path, headers={"Connection": "close"})


async def _read(request: Request, limit: int) -> bytes:
    """Return the body as it was sent.

    Raises:
        Refusal: `too-large`, before more than `limit` bytes are held in memory.
    """
    announced = request.headers.get("content-length", "0")
    chunks, size = [], int(announced) if announced.isdigit() else 0
    if size <= limit:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                break
            chunks.append(chunk)
    if size > limit:
        detail = f"The body has more than {limit:,} bytes, the limit of this server."
        raise Refusal.of("too-large", detail, expected=limit)
    return b"".join(chunks)
