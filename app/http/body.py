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

from app.http.no_space import not_written
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
        Refusal: `too-large`, before more than `limit` bytes were kept; `insufficient-storage` or `not-ready` if the folder
            does not take them.
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
    path, size = await _write(chunks, stream, limit, folder)
    try:
        yield Body(size, None, str(path))
    finally:
        path.unlink(missing_ok=True)


async def _write(chunks: list[bytes], stream: AsyncIterator[bytes], limit: int, folder: Path) -> tuple[Path, int]:
    """Write what has been received and the rest of a body into a file, and return it with the size of the body."""
    path: Path | None = None
    size = sum(map(len, chunks))
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX, delete=False) as file:
            path = Path(file.name)
            await to_thread.run_sync(file.writelines, chunks)
            chunks.clear()
            size = await receive_into(file, stream, limit, size)
    except BaseException as error:
        if path:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise not_written(error) from error
        raise
    return path, size


def announced_size(request: Request) -> int:
    """Return the number of bytes that the head of a request announces; 0 if it announces none."""
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdigit() else 0


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
