"""Endpoint: reads the body of one request, computes off the event loop, and writes the answer.

Routes with tensors use it instead of FastAPI's own parsing, which would pass every number through pydantic. `describe`
declares the body and the answer beside the route, so that the OpenAPI schema stays complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.http.compression import compress, decompress
from app.http.executor import ComputeExecutor, Overloaded
from app.http.negotiation import JSON, format_of_answer, format_of_body
from app.http.problem_details import problem_response, refusal_response
from app.http.problem_types import PROBLEM_TYPES
from app.http.reply import Reply
from app.settings import Settings
from app.wire.decode import decode
from app.wire.encode import encode
from app.wire.safetensors_message import MEDIA_TYPE, decode_message, encode_message
from core.arrays import CheckDeadline
from core.errors import Refusal

M = TypeVar("M", bound=BaseModel)
Compute = Callable[[M, Settings, CheckDeadline], "dict[str, Any] | Reply"]
Encoding = Literal["json", "base64"]
Documents = Mapping[str, Callable[[Any], str]]
"""Functions that write the source of a reply as a document for readers, by media type."""


class Endpoint:
    """One request, and the settings and executor needed to answer it."""

    def __init__(self, request: Request, settings: Settings, executor: ComputeExecutor) -> None:
        self.request = request
        self.settings = settings
        self._executor = executor

    async def handle(
        self,
        model: type[M],
        compute: Compute[M],
        documents: Documents | None = None,
        *,
        resolve: Callable[[M], M] | None = None,
    ) -> Response:
        """Read the body as `model`, run `compute` in the executor, and answer with its result.

        Args:
            model: the schema of the body.
            compute: takes the body, the settings and a function that raises once the deadline has passed.
            documents: other formats of the answer, used if the header Accept prefers one of them.
            resolve: replaces references in the body, for instance to a stored model, before the computation.

        Returns:
            The response.

        Raises:
            Refusal: with all errors of the request.
        """
        request, settings, documents = self.request, self.settings, documents or {}
        format_of_answer(request.headers.get("accept"), list(documents))
        form = format_of_body(request.headers.get("content-type"))
        try:
            async with asyncio.timeout(settings.max_body_seconds):
                body = await _read(request, settings.max_body_bytes)
        except TimeoutError:
            return self.too_slow()
        except ClientDisconnect:
            return Response(status_code=400)

        def work(check_deadline: CheckDeadline) -> tuple[dict[str, Any] | Reply, Encoding]:
            plain = decompress(body, request.headers.get("content-encoding"), limit=settings.max_body_bytes)
            asked = decode(plain, model) if form == "json" else decode_message(plain, model)
            if resolve:
                asked = resolve(asked)
            return compute(asked, settings, check_deadline), getattr(asked, "encoding", "json")

        return await self.produce(work, documents)

    async def produce(
        self,
        work: Callable[[CheckDeadline], tuple[dict[str, Any] | Reply, Encoding]],
        documents: Documents | None = None,
    ) -> Response:
        """Run `work` in the executor and answer with its result.

        Args:
            work: returns the answer and the encoding of its tensors.
            documents: other formats of the answer, used if the header Accept prefers one of them.

        Returns:
            The response.

        Raises:
            Refusal: `not-acceptable`, and the refusals of `work`.
        """
        headers, documents = self.request.headers, documents or {}
        form = format_of_answer(headers.get("accept"), list(documents))

        def response(check_deadline: CheckDeadline) -> Response:
            reply, encoding = work(check_deadline)
            reply = reply if isinstance(reply, Reply) else Reply(reply)
            if form in documents:
                plain, media_type = documents[form](reply.source).encode(), f"{form}; charset=utf-8"
            elif form == "json":
                plain, media_type = encode(reply.content, encoding=encoding), JSON
            else:
                plain, media_type = encode_message(reply.content), MEDIA_TYPE
            content, coding = compress(plain, headers.get("accept-encoding"))
            own = {"Content-Encoding": coding} if coding else {}
            return Response(
                content, reply.status, {"Vary": "Accept, Accept-Encoding", **reply.headers, **own}, media_type
            )

        return await self._run(response)

    async def download(self, filename: str, work: Callable[[], tuple[bytes, str]]) -> Response:
        """Answer with a file. `work` runs in the executor and returns the bytes and the media type."""

        def response(_: CheckDeadline) -> Response:
            content, media_type = work()
            return Response(content, 200, {"Content-Disposition": f'attachment; filename="{filename}"'}, media_type)

        return await self._run(response)

    async def _run(self, response: Callable[[CheckDeadline], Response]) -> Response:
        try:
            return await self._executor.run(response)
        except Overloaded as error:
            return refusal_response(error, self.request.url.path, {"Retry-After": str(error.retry_after)})

    def too_slow(self) -> Response:
        """Return the answer to a body that did not arrive in time."""
        detail = f"The body did not arrive within {self.settings.max_body_seconds:g} s."
        return problem_response(
            PROBLEM_TYPES["request-timeout"], detail, self.request.url.path, headers={"Connection": "close"}
        )


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
