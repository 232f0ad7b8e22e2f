"""One exchange: a body comes in, a computation runs off the event loop, an answer goes out.

Endpoints with tensors use this instead of FastAPI's own parsing, which would pass every number through pydantic. What
they take and give is declared beside the route all the same (`describe`), so the schema stays complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.completion import completed
from app.negotiation import JSON, format_of_answer, format_of_body
from app.problems import KINDS, answer, refusal
from app.schemas.problem import NetworkInUse
from app.settings import Settings
from app.wire.content import compress, decompress
from app.wire.decode import decode
from app.wire.encode import encode
from app.wire.message import MEDIA_TYPE, decode_message, encode_message
from app.workshop import Interrupt, Overloaded, Workshop
from core.errors import Refusal

M = TypeVar("M", bound=BaseModel)
Compute = Callable[[M, Settings, Interrupt], "dict[str, Any] | Reply"]
Encoding = Literal["json", "base64"]
Documents = Mapping[str, Callable[[Any], str]]
"""By media type: what writes a reply's source as a document for readers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status and headers of its own."""

    content: dict[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    source: Any = None
    """What a document is written from, where the address has documents."""


async def respond(
    request: Request,
    model: type[M],
    compute: Compute[M],
    documents: Documents | None = None,
    *,
    completes: bool = True,
) -> Response:
    """Read a body as `model`, compute in the workshop, and answer with what `compute` returns.

    A problem that names a stored model is completed from it, unless `compute` does that itself. Where Accept prefers one
    of the `documents`, the answer is that document.

    Raises:
        Refusal: whatever is wrong with the request.
    """
    settings: Settings = request.app.state.settings
    documents = documents or {}
    format_of_answer(request.headers.get("accept"), list(documents))
    form = format_of_body(request.headers.get("content-type"))
    try:
        async with asyncio.timeout(settings.max_body_seconds):
            body = await _read(request, settings.max_body_bytes)
    except TimeoutError:
        return too_slow(request)
    except ClientDisconnect:
        return Response(status_code=400)

    def work(interrupt: Interrupt) -> tuple[dict[str, Any] | Reply, Encoding]:
        plain = decompress(body, request.headers.get("content-encoding"), limit=settings.max_body_bytes)
        asked = decode(plain, model) if form == "json" else decode_message(plain, model)
        if completes and isinstance(asked, NetworkInUse):
            asked = completed(asked, request.app.state.database)
        return compute(asked, settings, interrupt), getattr(asked, "encoding", "json")

    return await produce(request, work, documents)


async def produce(
    request: Request,
    work: Callable[[Interrupt], tuple[dict[str, Any] | Reply, Encoding]],
    documents: Documents | None = None,
) -> Response:
    """Answer with what `work` returns, which is done in the workshop.

    Raises:
        Refusal: `not-acceptable`, or what `work` refuses.
    """
    workshop: Workshop = request.app.state.workshop
    documents = documents or {}
    form = format_of_answer(request.headers.get("accept"), list(documents))

    def done(interrupt: Interrupt) -> Response:
        reply, encoding = work(interrupt)
        reply = reply if isinstance(reply, Reply) else Reply(reply)
        if form in documents:
            plain, media_type = documents[form](reply.source).encode(), f"{form}; charset=utf-8"
        elif form == "json":
            plain, media_type = encode(reply.content, encoding=encoding), JSON
        else:
            plain, media_type = encode_message(reply.content), MEDIA_TYPE
        content, coding = compress(plain, request.headers.get("accept-encoding"))
        headers = {"Vary": "Accept, Accept-Encoding", **reply.headers} | (
            {"Content-Encoding": coding} if coding else {}
        )
        return Response(content, reply.status, headers, media_type)

    try:
        return await workshop.run(done)
    except Overloaded as error:
        return refusal(error, request.url.path, {"Retry-After": str(error.retry_after)})


async def download(request: Request, filename: str, work: Callable[[], tuple[bytes, str]]) -> Response:
    """Answer with a file, which `work` makes in the workshop: its bytes and its media type."""
    workshop: Workshop = request.app.state.workshop

    def done(_: Interrupt) -> Response:
        content, media_type = work()
        return Response(content, 200, {"Content-Disposition": f'attachment; filename="{filename}"'}, media_type)

    try:
        return await workshop.run(done)
    except Overloaded as error:
        return refusal(error, request.url.path, {"Retry-After": str(error.retry_after)})


def too_slow(request: Request) -> Response:
    """The answer to a body that did not arrive in time."""
    detail = f"The body did not arrive within {request.app.state.settings.max_body_seconds:g} s."
    return answer(KINDS["request-timeout"], detail, request.url.path, headers={"Connection": "close"})


async def _read(request: Request, limit: int) -> bytes:
    """The body as it was sent.

    Raises:
        Refusal: `too-large`, before more than `limit` bytes are held.
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
        detail = f"The body has more than {limit:,} bytes, the most that this server takes."
        raise Refusal.of("too-large", detail, expected=limit)
    return b"".join(chunks)
