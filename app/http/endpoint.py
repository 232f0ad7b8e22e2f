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

from app.http.compression import decompress, negotiate
from app.http.entity_tags import Resource, entity_tag, is_same, not_modified, tagged
from app.http.executor import Overloaded
from app.http.negotiation import format_of_answer, format_of_body
from app.http.operation import VARY, Compute, Documents, Encoding, Operation, Server, Wanted, write
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
        headers, settings = self.request.headers, self.settings
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
            return operation.answer(reading, known, wanted, self._server, check_deadline)

        return await self._run(response)

    async def produce(
        self,
        work: Callable[[CheckDeadline], tuple[dict[str, Any] | Reply, Encoding]],
        resource: Resource | None = None,
        *representation: str,
    ) -> Response:
        """Run `work` in the executor and answer with its result, or with 304 if the client has it.

        Args:
            work: returns the answer and the encoding of its tensors.
            resource: returns what the entity tag is made from; without it there is none.
            representation: what else the answer depends on, besides its format.

        Returns:
            The response.

        Raises:
            Refusal: `not-acceptable`, and the refusals of `work`.
        """
        wanted = self._wanted({})

        def response(check_deadline: CheckDeadline) -> Response:
            tag = resource and entity_tag(resource(), wanted.format, negotiate(wanted.accept_encoding), *representation)
            if tag and is_same(self.request.headers.get("if-none-match"), tag):
                return not_modified(tag, {"Vary": VARY})
            reply, encoding = work(check_deadline)
            answer = write(reply if isinstance(reply, Reply) else Reply(reply), wanted, {}, encoding)
            return tagged(answer, tag) if tag else answer

        return await self._run(response)

    def _wanted(self, documents: Documents) -> Wanted:
        headers = self.request.headers
        return Wanted(format_of_answer(headers.get("accept"), list(documents)), headers.get("accept-encoding"))

    async def download(
        self, filename: str, work: Callable[[], tuple[bytes, str]], resource: Resource, *representation: str
    ) -> Response:
        """Answer with a file, or with 304 if the client has it.

        Args:
            filename: under which a browser stores it.
            work: runs in the executor and returns the bytes and the media type.
            resource: returns what the entity tag is made from.
            representation: what else the file depends on.
        """

        def response(_: CheckDeadline) -> Response:
            tag = entity_tag(resource(), "file", *representation)
            if is_same(self.request.headers.get("if-none-match"), tag):
                return not_modified(tag)
            content, media_type = work()
            headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
            return tagged(Response(content, 200, headers, media_type), tag)

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
