"""Content encodings: decompression of requests with a size limit, and compression of answers by Accept-Encoding."""

from __future__ import annotations

import zlib
from typing import Protocol

import zstandard

from core.errors import Refusal

_READ = 256
"""Number of bytes that are decompressed at a time. Four bytes of zstd expand to at most 128 KiB, so the output of one
call is at most 8 MiB with zstd and 258 KiB with gzip."""

_MEMBERS_LIMIT = 10_000
"""Maximum number of concatenated compressed streams in a body. Each costs some microseconds, however short it is."""

_WINDOW_LIMIT = 2**23
"""Maximum window size of a zstd stream in bytes, as RFC 9659 requires."""

_WORTHWHILE = 1024
"""Minimum size in bytes of an answer that is compressed."""

_GZIP = 31
"""The `wbits` argument that makes zlib read or write gzip."""


class _Decompressor(Protocol):
    """The common interface of the decompressors of zlib and zstandard."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def decompress(body: bytes, content_encoding: str | None, *, limit: int) -> bytes:
    """Decompress the body of a request.

    Args:
        body: The body as it was received.
        content_encoding: The header Content-Encoding: absent, `identity`, `gzip` or `zstd`.
        limit: Maximum size in bytes, before and after decompression. At most 8 MiB of memory is used beyond it.

    Returns:
        The decompressed body.

    Raises:
        Refusal: if the encoding is unknown, or the body is too large, corrupt, truncated or followed by other data.
    """
    name = (content_encoding or "identity").strip().lower()
    if name not in ("", "identity", "gzip", "x-gzip", "zstd"):
        detail = "The body must be compressed at most once, with gzip or zstd."
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
        raise Refusal.of("malformed-json", f"The body is not valid {name}, or other data follows it.") from None
    if stream is not None or not members:
        raise Refusal.of("malformed-json", f"The body ends in the middle of its {name} stream.")
    return b"".join(pieces)


def _decompressor(name: str) -> _Decompressor:
    if name == "zstd":
        return zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT).decompressobj()
    return zlib.decompressobj(_GZIP)


def _too_large(limit: int) -> Refusal:
    return Refusal.of(
        "too-large", f"The body may have at most {limit} bytes, before and after decompression.", expected=limit
    )


def compress(body: bytes, accept_encoding: str | None) -> tuple[bytes, str | None]:
    """Compress an answer with the encoding that the client prefers. Short answers are not compressed.

    Returns:
        The body, and the value of Content-Encoding if it was compressed. The answer varies by Accept-Encoding.
    """
    encoding = negotiate(accept_encoding) if accept_encoding and len(body) >= _WORTHWHILE else None
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=1).compress(body), encoding
    if encoding == "gzip":
        return zlib.compress(body, 1, _GZIP), encoding
    return body, None


def negotiate(accept_encoding: str | None) -> str | None:
    """Return the encoding that Accept-Encoding prefers, or None for no encoding.

    Between equal preferences, zstd is chosen before gzip, and either before none. A header that allows none of the
    encodings is answered without an encoding, as RFC 9110 section 12.5.3 permits.
    """
    weights: dict[str, float] = {}
    for item in (accept_encoding or "").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights["gzip" if name == "x-gzip" else name] = _weight(parameters)
    others = weights.get("*", 0.0)
    # If the header does not mention identity, it is acceptable but not preferred.
    identity = weights.get("identity", 0.0)
    best, weight = max((("zstd", weights.get("zstd", others)), ("gzip", weights.get("gzip", others))), key=_second)
    return best if weight > 0 and weight >= identity else None


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _weight(parameters: list[str]) -> float:
    """Return the q parameter of an item, 1 if it has none. An invalid value counts as 0."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
