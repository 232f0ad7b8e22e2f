"""The body of a request: received into memory, or into a file if it is large."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from anyio import to_thread
from fastapi import Request

from app.http.content_length import read_content_length
from app.http.no_space import writing_to_data_folder
from core.errors import Refusal

LARGE = 4 * 2**20
"""Number of bytes beyond which a body is received into a file and read in another process. Reading JSON of this size holds
the interpreter lock for some 20 ms."""

PREFIX = "body-"
"""The beginning of the names of files of bodies."""

BLOCK = 2**20
"""Number of bytes that are written at a time."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it was sent, with its content encoding. It can be sent to another process."""

    size: int
    content: bytes | None
    """None if it is in a file."""

    path: str = ""

    @property
    def is_large(self) -> bool:
        """Whether it is in a file."""
        return self.content is None

    def read(self) -> bytes:
        """Return its bytes."""
        return Path(self.path).read_bytes() if self.content is None else self.content


@asynccontextmanager
async def received_body(request: Request, limit: int, folder: Path) -> AsyncIterator[Body]:
    """Receive the body of a request. A large one is kept in a file in `folder` until the end of the block.

    Raises:
        Refusal: `too-large`, before more than `limit` bytes were kept; `insufficient-storage` or `not-ready` if the file
            cannot be written.
    """
    if announced_size(request) > limit:
        raise too_large(limit)
    chunks: list[bytes] = []
    stream = request.stream()
    size = await receive(stream, chunks.append, min(limit, LARGE))
    if size <= LARGE:
        if size > limit:
            raise too_large(limit)
        yield Body(size, b"".join(chunks))
        return
    with writing_to_data_folder():
        kept = tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX)  # noqa: SIM115  (closed below)
    with kept as file:
        with writing_to_data_folder():
            await to_thread.run_sync(file.writelines, chunks)
            chunks.clear()
            size = await receive_into(file, stream, limit, size)
            file.flush()
        yield Body(size, None, file.name)


def announced_size(request: Request) -> int:
    """Return the number of bytes that the head of a request announces; 0 if it announces none."""
    return read_content_length(request.headers.get("content-length", "").encode("latin-1")) or 0


def is_announced_large(request: Request) -> bool:
    """Return whether a body will be received into a file, as far as is known."""
    return announced_size(request) > LARGE


async def receive(stream: AsyncIterator[bytes], keep: Callable[[bytes], object], enough: int) -> int:
    """Keep the chunks of a stream until there are more than `enough` bytes, and return their number."""
    size = 0
    async for chunk in stream:
        size += len(chunk)
        keep(chunk)
        if size > enough:
            break
    return size


async def receive_into(file: IO[bytes], stream: AsyncIterator[bytes], limit: int, size: int = 0) -> int:
    """Write a stream into a file.

    Args:
        file: the file.
        stream: the chunks.
        limit: the largest number of bytes.
        size: the number of bytes that came before.

    Returns:
        The number of bytes with those that came before.

    Raises:
        Refusal: `too-large`.
    """
    block = bytearray()
    if size > limit:
        raise too_large(limit)
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        block += chunk
        if len(block) >= BLOCK:
            await to_thread.run_sync(file.write, bytes(block))
            block.clear()
    await to_thread.run_sync(file.write, bytes(block))
    return size


def too_large(limit: int) -> Refusal:
    """Return the refusal of a body beyond a limit of bytes."""
    detail = f"The body has more than {limit:,} bytes, the limit of this server."
    return Refusal.of("too-large", detail, expected=limit)
