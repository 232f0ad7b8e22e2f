"""Content encodings: gzip and zstd, of requests within a limit, and of answers as the client likes them best."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from core.errors import Refusal

_READ = 2**10
"""Bytes that are decompressed at a time. One block of zstd makes 128 KiB of 4 bytes, so this can make 32 MiB, no more."""

_MEMBERS_LIMIT = 10_000
"""Compressed streams one after another in a body: each costs some microseconds, however short."""

_WINDOW_LIMIT = 2**23
"""Bytes of memory that a zstd stream may ask for, as RFC 9659 has it."""

_WORTHWHILE = 1024
"""Bytes from which an answer is compressed."""

_GZIP = 31
"""Tells zlib to read or write gzip."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: zlib.decompressobj(_GZIP),
    "zstd": lambda: zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT).decompressobj(),
}
_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "gzip": lambda body: zlib.compress(body, 5, _GZIP),
}


def decompress(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """The body as it was before compression.

    Raises:
        Refusal: `unsupported-media-type` for other encodings, `too-large` once it grows beyond `limit` bytes,
            `malformed-json` for a stream that is broken, cut off, or followed by something else.
    """
    coding = (content_encoding or "identity").strip().lower()
    if coding == "identity":
        return body
    start = _DECOMPRESSORS.get(coding)
    if start is None:
        detail = f"The body is announced with Content-Encoding {coding[:60]!r}."
        raise Refusal.of("unsupported-media-type", detail, expected=["identity", *_DECOMPRESSORS])
    try:
        return _expanded(body, start, coding, limit)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Refusal.of("malformed-json", f"The body is not a {coding} stream: {error}.") from None


def _expanded(body: bytes, start: Callable[[], _Decompressor], coding: str, limit: int) -> bytes:
    """All streams of the body, one after another."""
    pieces: list[bytes] = []
    size, members, rest, position, stream = 0, 0, b"", 0, None
    while rest or position < len(body):
        if stream is None:
            members += 1
            if members > _MEMBERS_LIMIT:
                raise Refusal.of("too-large", f"The body has more than {_MEMBERS_LIMIT:,} {coding} streams.")
            stream = start()
        if not rest:
            rest = body[position : position + _READ]
            position += _READ
        piece = stream.decompress(rest)
        size += len(piece)
        if size > limit:
            detail = f"The body has more than {limit:,} bytes after decompression, the most that this server takes."
            raise Refusal.of("too-large", detail, expected=limit)
        pieces.append(piece)
        rest = stream.unused_data if stream.eof else b""
        if stream.eof:
            stream = None
    if stream is not None or not members:
        raise Refusal.of("malformed-json", f"The {coding} stream is cut off.")
    return b"".join(pieces)


def compress(body: bytes, accept_encoding: str | None) -> tuple[bytes, str | None]:
    """The body in the encoding that the client likes best, and that encoding's name, None for none."""
    if len(body) < _WORTHWHILE or not accept_encoding:
        return body, None
    liked = _quality(accept_encoding)
    best = max(_COMPRESSORS, key=lambda coding: liked.get(coding, liked.get("*", 0.0)))
    quality = liked.get(best, liked.get("*", 0.0))
    if quality <= 0 or quality < liked.get("identity", 0.0):
        return body, None
    return _COMPRESSORS[best](body), best


def _quality(accept_encoding: str) -> dict[str, float]:
    """How much the client likes each encoding, from 0 to 1 (RFC 9110, section 12.5.3)."""
    liked = {}
    for entry in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in entry.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        try:
            liked[coding] = float(weight)
        except ValueError:
            liked[coding] = 0.0
    return liked
