"""JSON parsing: from bytes to a document, or to a refusal that locates the syntax error.

simdjson parses. If it fails, orjson parses the body again to locate the error, which simdjson does not report. Both
hold the interpreter lock while they parse: a body of 20 MB blocks other threads for 60 ms, one of 100 MB for 0.3 s (a
third of that for base64 of the same elements). Parsing takes two to ten times the memory of the body, which is freed
with the last proxy.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
import simdjson

from app.wire.json_advice import advice
from app.wire.json_marks import size_as_objects
from app.wire.json_pointer import path_at
from core.errors import Refusal

_LOCATED = 256 * 2**20
"""Maximum size of the objects that are made, and dropped, to locate an error."""

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_WIDENED_LIMIT = 4 * 2**20
"""Maximum size of a body that is searched for long integers: 35 ns per byte, with the interpreter lock held."""

# An unterminated string matches to the end: retrying at each of its quotes would take quadratic time.
_LONG_INTEGER = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|(?<![\d.eE+\-])-?\d{19,}+(?![\d.eE])', re.DOTALL)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NOT_FINITE = re.compile(rb"-?(?:NaN|Infinity|nan|inf)")


def parse(body: bytes) -> Any:
    """Parse a JSON document into simdjson's proxies, or into a plain value if the document is a scalar.

    Every document has a parser of its own: the proxies point into it and keep it alive, and threads share nothing.

    Raises:
        Refusal: if the body is not JSON in UTF-8, or a number is beyond the range of float64.
    """
    for mark, name in _BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            raise Refusal.of("malformed-json", f"The body starts with a {name} byte order mark; send UTF-8 without it.")
    if b"\0" in body[:2]:
        raise Refusal.of("malformed-json", "The body looks like UTF-16 or UTF-32; send UTF-8.")
    try:
        return simdjson.Parser().parse(body)
    except (ValueError, RuntimeError) as error:
        reason = str(error)
    if reason.startswith(("BIGINT_ERROR", "NUMBER_ERROR")) and len(body) <= _WIDENED_LIMIT:
        widened = _LONG_INTEGER.sub(_widen, body)
        if widened != body:
            try:
                return simdjson.Parser().parse(widened)
            except (ValueError, RuntimeError):
                pass  # The body has another error, or an integer beyond float64.
    raise _refusal(body, reason)


def _widen(match: re.Match[bytes]) -> bytes:
    """Return an integer beyond 64 bits as a float. JavaScript writes 1e20 as 100000000000000000000."""
    text = match[0]
    if text.startswith(b'"') or (len(text) < 21 and -(2**63) <= int(text) < 2**64):
        return text
    return text + b".0"


def _refusal(body: bytes, reason: str) -> Refusal:
    """Return the refusal that says why and where the body is not valid JSON."""
    if not body.strip(b" \t\r\n"):
        hint = "Send a JSON object. curl sends a file with --data-binary @NAME."
        return Refusal.of("malformed-json", "The body is empty; a JSON object is expected.", hint=hint)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return Refusal.of("malformed-json", f"The body is not valid UTF-8: {error.reason} at byte {error.start}.")
    if reason.startswith("DEPTH_ERROR"):
        return Refusal.of("invalid-request", "The document is nested too deeply.")
    if size_as_objects(body) > _LOCATED:
        return Refusal.of("malformed-json", "The body is not JSON. It has too many values for the error to be located.")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        offset = error.pos if body.isascii() else len(error.doc[: error.pos].encode())
        where = f"line {error.lineno}, column {error.colno} (byte {offset})"
        path = path_at(body, offset)
        if _NOT_FINITE.match(body, offset) or _NOT_FINITE.match(body, max(offset - 1, 0)):
            detail = f"NaN and Infinity are not valid JSON and cannot be computed with; found at {where}."
            hint = "Leave out what has no value; a computation needs finite numbers."
            return Refusal.of("malformed-json", detail, *path, hint=hint)
        if error.msg.startswith("number is infinity"):
            number = _NUMBER.match(body, offset)
            digits = number[0].decode() if number and len(number[0]) <= 30 else "A number"
            detail = f"{digits} is beyond the range of float64 (1.8e308), at {where}."
            return Refusal.of("non-finite", detail, *path)
        detail = f"The body is not JSON: {error.msg} at {where}."
        return Refusal.of("malformed-json", detail, *path, hint=advice(body, offset))
    if reason.startswith(("BIGINT_ERROR", "NUMBER_ERROR")):
        detail = "The body contains an integer beyond 64 bits; write it with an exponent (1e20)."
        return Refusal.of("malformed-json", detail)
    return Refusal.of("malformed-json", "The body is not JSON.")
