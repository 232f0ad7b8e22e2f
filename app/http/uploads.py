"""Uploads: bodies that are received into a file, so that they take no memory while they arrive."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import IO, Any

from anyio import to_thread
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from app.http.compression import decompress
from app.http.endpoint import Endpoint
from app.http.negotiation import format_of_answer
from app.http.reply import Reply
from core.arrays import CheckDeadline
from core.errors import Refusal

BLOCK = 2**20
"""Number of bytes that are written at a time."""

Read = Callable[[IO[bytes], CheckDeadline], "dict[str, Any] | Reply"]


async def handle_file(endpoint: Endpoint, read: Read) -> Response:
    """Receive a body into a temporary file, run `read` in the executor, and answer with its result.

    Args:
        endpoint: the request.
        read: takes the decompressed file and a function that raises once the deadline has passed.

    Returns:
        The response.

    Raises:
        Refusal: with the errors of the request.
    """
    request, settings = endpoint.request, endpoint.settings
    format_of_answer(request.headers.get("accept"))
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > settings.max_body_bytes:
        raise _too_large(settings.max_body_bytes)
    try:
        with tempfile.TemporaryFile(dir=settings.data_dir) as file:
            try:
                async with asyncio.timeout(settings.max_body_seconds):
                    await _receive(request, file, settings.max_body_bytes)
            except TimeoutError:
                return endpoint.too_slow()
            except ClientDisconnect:
                return Response(status_code=400)

            def work(check_deadline: CheckDeadline) -> tuple[dict[str, Any] | Reply, Any]:
                encoding = request.headers.get("content-encoding")
                return read(_plain(file, encoding, settings.max_body_bytes), check_deadline), "json"

            return await endpoint.produce(work)
    except OSError as error:
        hint = "Set GRADD_DATA_DIR to a writable folder with enough free space."
        raise Refusal.of("not-ready", "The server cannot write to its data folder.", hint=hint) from error


async def _receive(request: Request, file: IO[bytes], limit: int) -> None:
    size, block = 0, bytearray()
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        block += chunk
        if len(block) >= BLOCK:
            await to_thread.run_sync(file.write, bytes(block))
            block.clear()
    await to_thread.run_sync(file.write, bytes(block))


def _plain(file: IO[bytes], content_encoding: str | None, limit: int) -> IO[bytes]:
    """Return the file, positioned at its start and decompressed if necessary.

    Raises:
        Refusal: if the content does not match its encoding or is too large.
    """
    file.seek(0)
    if (content_encoding or "identity").strip().lower() in ("", "identity"):
        return file
    body = decompress(file.read(), content_encoding, limit=limit)
    file.seek(0)
    file.truncate()
    file.write(body)
    file.seek(0)
    return file


def _too_large(limit: int) -> Refusal:
    detail = f"The body has more than {limit:,} bytes, the limit of this server."
    return Refusal.of("too-large", detail, expected=limit)
