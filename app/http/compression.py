"""Content encodings: gzip and zstd, of requests within a limit, and of answers as the client likes them best."""

from __future__ import annotations

import zlib
from typing import Protocol

import zstandard

from core.errors import Refusal

_READ = 256
"""Bytes that are decompressed at a time. zstd makes up to 128 KiB of 4 bytes, so this makes up to 8 MiB, gzip 258 KiB."""

_MEMBERS_LIMIT = 10_000
"""Compressed streams one after another in a body: each costs some microseconds, however short."""

_WINDOW_LIMIT = 2**23
"""Bytes of memory that a zstd stream may ask for, as RFC 9659 has it."""

_WORTHWHILE = 1024
"""Bytes from which an answer is compressed."""

_GZIP = 31
"""Tells zlib to read or write gzip."""


class _Decompressor(Protocol):
    """What the objects of zlib and zstandard have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def decompress(body: bytes, content_encoding: str | None, *, limit: int) -> bytes:
    """Undo the content encoding of a request.

    Args:
        body: The body as it came.
        content_encoding: The header: nothing, `identity`, `gzip` or `zstd`.
        limit: Bytes that the body may have, compressed or not. Memory beyond it is bounded too, by 8 MiB.

    Raises:
        Refusal: an encoding that is not known, a body that is too large, corrupt, cut off or followed by something.
    """
    name = (content_encoding or "identity").strip().lower()
    if name not in ("", "identity", "gzip", "x-gzip", "zstd"):
        detail = "The body may be compressed once, with gzip or zstd."
        raise Refusal.of("unsupported-media-type", detail, expected=["gzip", "zstd", "identity"])
    if len(body) > limit:
        raise _too_large(limit)
    if name in ("", "identity"):
        return body
    pieces: list[bytes] = []
    left = limit
    members = 0
    stream: _Decompressor | None = None
    try:
        for at in range(0, len(body), _READ):
            unread = body[at : at + _READ]
            while unread:
                if stream is None:
                    stream, members = _decompressor(name), members + 1
                piece = stream.decompress(unread)
                left -= len(piece)
                if left < 0 or members > _MEMBERS_LIMIT:
                    raise _too_large(limit)
                pieces.append(piece)
                unread = stream.unused_data
                if stream.eof:
                    stream = None
    except (zlib.error, zstandard.ZstdError):
        raise Refusal.of("malformed-json", f"The body is not {name}, or something else follows it.") from None
    if stream is not None or not members:
        raise Refusal.of("malformed-json", f"The body ends in the middle of its {name} stream.")
    return b"".join(pieces)


def _decompressor(name: str) -> _Decompressor:
    if name == "zstd":
        return zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT).decompressobj()
    return zlib.decompressobj(_GZIP)


def _too_large(limit: int) -> Refusal:
    return Refusal.of("too-large", f"The body may have {limit} bytes, before and after decompression.", expected=limit)


def compress(body: bytes, accept_encoding: str | None) -> tuple[bytes, str | None]:
    """Compress an answer as the client prefers; short ones and those without a header stay as they are.

    Returns:
        The body, and the value of Content-Encoding if it was compressed. The answer varies by Accept-Encoding.
    """
    encoding = negotiate(accept_encoding) if len(body) >= _WORTHWHILE else None
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=1).compress(body), encoding
    if encoding == "gzip":
        return zlib.compress(body, 1, _GZIP), encoding
    return body, None


def negotiate(accept_encoding: str | None) -> str | None:
    """The encoding that Accept-Encoding prefers: zstd before gzip, either before none, where it has no preference.

    A header that allows nothing that we have is answered without an encoding, as RFC 9110 section 12.5.3 permits.
    """
    weights: dict[str, float] = {}
    for item in (accept_encoding or "").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights["gzip" if name == "x-gzip" else name] = _weight(parameters)
    others = weights.get("*", 0.0)
    # Without a word about identity it is acceptable, but it is not what the client asks for.
    identity = weights.get("identity", 0.0)
    best, weight = max((("zstd", weights.get("zstd", others)), ("gzip", weights.get("gzip", others))), key=_second)
    return best if weight > 0 and weight >= identity else None


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _weight(parameters: list[str]) -> float:
    """The q of an item, 1 without one; what is not a weight counts as refused."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
