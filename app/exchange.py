"""One exchange: a body comes in, a computation runs off the event loop, an answer goes out.

Endpoints with tensors use this instead of FastAPI's own parsing, which would pass every number through pydantic. What
they take and give is declared beside the route all the same (`describe`), so the schema stays complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.negotiation import refuse_media_type, refuse_unacceptable
from app.problems import KINDS, answer, refusal
from app.settings import Settings
from app.wire.content import compress, decompress
from app.wire.decode import decode
from app.wire.encode import encode
from app.workshop import Interrupt, Overloaded, Workshop
from core.errors import Refusal

M = TypeVar("M", bound=BaseModel)
Compute = Callable[[M, Settings, Interrupt], dict[str, Any]]
Encoding = Literal["json", "base64"]


async def respond(request: Request, model: type[M], compute: Compute[M]) -> Response:
    """Read a body as `model`, compute in the workshop, and answer with what `compute` returns.

    Raises:
        Refusal: whatever is wrong with the request.
    """
    settings: Settings = request.app.state.settings
    workshop: Workshop = request.app.state.workshop
    refuse_unacceptable(request.headers.get("accept"))
    refuse_media_type(request.headers.get("content-type"))
    try:
        async with asyncio.timeout(settings.max_body_seconds):
            body = await _read(request, settings.max_body_bytes)
    except TimeoutError:
        detail = f"The body did not arrive within {settings.max_body_seconds:g} s."
        return answer(KINDS["request-timeout"], detail, request.url.path, headers={"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)

    def work(interrupt: Interrupt) -> tuple[bytes, str | None]:
        plain = decompress(body, request.headers.get("content-encoding"), limit=settings.max_body_bytes)
        asked = decode(plain, model)
        content: bytes = encode(compute(asked, settings, interrupt), encoding=getattr(asked, "encoding", "json"))
        return compress(content, request.headers.get("accept-encoding"))

    try:
        content, coding = await workshop.run(work)
    except Overloaded as error:
        return refusal(error, request.url.path, {"Retry-After": str(error.retry_after)})
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": coding} if coding else {})
    return Response(content, headers=headers, media_type="application/json")


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
