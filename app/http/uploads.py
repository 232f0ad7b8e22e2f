"""Uploads: bodies that are received into a file, so that they take no memory while they arrive."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import IO, Any

from fastapi import Response
from starlette.requests import ClientDisconnect

from app.http.body import announced_size, receive_into, too_large
from app.http.compression import decompress
from app.http.edge.bodies import keep_on_disk
from app.http.endpoint import Endpoint
from app.http.multipart import is_form, keep_file
from app.http.negotiation import format_of_answer
from app.http.no_space import not_written
from app.http.reply import Reply
from core.arrays import CheckDeadline

Read = Callable[[IO[bytes], CheckDeadline], "dict[str, Any] | Reply"]


async def handle_file(endpoint: Endpoint, read: Read, limit: int | None = None) -> Response:
    """Receive a body into a temporary file, run `read` in the executor, and answer with its result.

    Args:
        endpoint: the request.
        read: takes the decompressed file (of a form, the file in it) and a function that raises once the deadline has passed.
        limit: the largest number of bytes of the file; by default that of a body. A compressed file has that of a body, as
            it is decompressed in memory.

    Returns:
        The response.

    Raises:
        Refusal: with the errors of the request.
    """
    request, settings = endpoint.request, endpoint.settings
    format_of_answer(request.headers.get("accept"))
    limit = limit or settings.max_body_bytes
    announced = announced_size(request)
    if announced > limit:
        raise too_large(limit)
    keep_on_disk(request.scope)
    # A large file has as many seconds for each byte as the largest body.
    seconds = settings.max_body_seconds * max(1.0, announced / settings.max_body_bytes)
    try:
        with tempfile.TemporaryFile(dir=settings.data_dir) as file:
            try:
                async with asyncio.timeout(seconds):
                    await receive_into(file, request.stream(), limit)
            except TimeoutError:
                return endpoint.too_slow()
            except ClientDisconnect:
                return Response(status_code=400)

            def work(check_deadline: CheckDeadline) -> tuple[dict[str, Any] | Reply, Any]:
                encoding, form = request.headers.get("content-encoding"), request.headers.get("content-type")
                plain = _plain(file, encoding, settings.max_body_bytes)
                content = keep_file(plain, form) if form and is_form(form) else plain
                return read(content, check_deadline), "json"

            return await endpoint.produce(work)
    except OSError as error:
        raise not_written(error) from error


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
