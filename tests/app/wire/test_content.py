from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import pytest
import zstandard

from app.http.compression import compress, decompress, negotiate
from core.errors import GraddError

BODY = b'{"x": [' + b"0.125, " * 5000 + b"1]}"
LIMIT = 10**6


def packed(encoding: str, body: bytes = BODY) -> bytes:
    return gzip.compress(body) if encoding == "gzip" else zstandard.ZstdCompressor().compress(body)


def refused(body: bytes, encoding: str | None, limit: int = LIMIT) -> tuple[str, str]:
    with pytest.raises(GraddError) as caught:
        decompress(body, encoding, limit=limit)
    (issue,) = caught.value.issues
    return issue.code, issue.detail


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_without_an_encoding_the_body_stays_as_it_is(encoding: str | None) -> None:
    assert decompress(BODY, encoding, limit=LIMIT) is BODY


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_decompresses(encoding: str) -> None:
    assert decompress(packed(encoding), encoding.upper(), limit=len(BODY)) == BODY
    assert decompress(packed(encoding, b""), encoding, limit=LIMIT) == b""
    noise = random.Random(0).randbytes(10**5)
    assert decompress(packed(encoding, noise), encoding, limit=LIMIT) == noise


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_decompresses_several_streams_one_after_another(encoding: str) -> None:
    streams = packed(encoding) + packed(encoding, b"") + packed(encoding, b"end")
    assert decompress(streams, encoding, limit=LIMIT) == BODY + b"end"


def test_decompresses_zstd_without_a_size_in_its_head() -> None:
    stream = zstandard.ZstdCompressor(write_content_size=False).compress(BODY)
    assert decompress(stream, "zstd", limit=LIMIT) == BODY


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip", "gzip, identity", "zstd,gzip", "x"])
def test_refuses_other_encodings(encoding: str) -> None:
    sentence = "The body must be compressed at most once, with gzip or zstd."
    assert refused(BODY, encoding) == ("unsupported-media-type", sentence)


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_refuses_what_is_too_large(encoding: str) -> None:
    sentence = f"The body may have at most {len(BODY) - 1} bytes, before and after decompression."
    body = BODY if encoding == "identity" else packed(encoding)
    assert refused(body, encoding, len(BODY) - 1) == ("too-large", sentence)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_does_not_go_off(encoding: str) -> None:
    bomb = packed(encoding, bytes(300_000_000))
    tracemalloc.start()
    assert refused(bomb, encoding)[0] == "too-large"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < LIMIT + 9 * 2**20


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_empty_streams_are_too_many(encoding: str) -> None:
    assert refused(packed(encoding, b"") * 10_001, encoding)[0] == "too-large"


def test_refuses_a_zstd_stream_that_asks_for_much_memory() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stream = writer.compress(BODY) + writer.flush()
    assert refused(stream, "zstd")[0] == "malformed-json"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_refuses_what_is_cut_off(encoding: str) -> None:
    stream = packed(encoding)
    for length in (0, 1, 5, len(stream) // 2, len(stream) - 1):
        code, detail = refused(stream[:length], encoding)
        assert (code, detail) == ("malformed-json", f"The body ends in the middle of its {encoding} stream.")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("rest", [b"x", b"\0", b"garbage", BODY])
def test_refuses_what_follows_the_stream(encoding: str, rest: bytes) -> None:
    assert refused(packed(encoding) + rest, encoding)[0] == "malformed-json"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_corrupt_streams_are_refused_or_harmless(encoding: str) -> None:
    generator = random.Random(0)
    stream = packed(encoding)
    for _ in range(300):
        corrupt = bytearray(stream)
        corrupt[generator.randrange(len(corrupt))] ^= 1 << generator.randrange(8)
        try:
            assert len(decompress(bytes(corrupt), encoding, limit=LIMIT)) <= LIMIT
        except GraddError as error:
            assert error.issues[0].code in ("malformed-json", "too-large")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip; q=0.5 , zstd ; Q=0.6", "zstd"),
        ("zstd;q=0", None),
        ("zstd;q=0, gzip;q=0.001", "gzip"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip, identity;q=0.5", "gzip"),
        ("gzip, identity", "gzip"),
        ("identity;q=0", None),
        ("identity;q=0, *;q=0.1", "zstd"),
        ("gzip;q=x", None),
        ("gzip;q=2", None),
        ("gzip;q=nan", None),
        (",,;;,gzip", "gzip"),
    ],
)
def test_negotiates(header: str | None, expected: str | None) -> None:
    assert negotiate(header) == expected


def test_compresses_what_is_worth_it() -> None:
    for encoding in ("gzip", "zstd"):
        body, named = compress(BODY, encoding)
        assert named == encoding and len(body) < len(BODY)
        assert decompress(body, named, limit=LIMIT) == BODY
    assert compress(BODY, None) == (BODY, None)
    assert compress(BODY[:1023], "gzip") == (BODY[:1023], None)
    assert zlib.decompress(compress(BODY, "gzip")[0], 31) == BODY
    assert compress(BODY, "gzip") == compress(BODY, "gzip")
