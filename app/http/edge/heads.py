"""Limits of the head of a request, which is its request line and header fields."""

from __future__ import annotations

from itertools import chain

from starlette.types import Scope

from core.errors import Refusal

MAX_BYTES = 32 * 2**10
"""Maximum size of a head."""

MAX_FIELDS = 100
"""Maximum number of header fields."""

FRAMED_TWICE = "The request has both Content-Length and Transfer-Encoding, so that the end of its body is ambiguous."


def too_large() -> Refusal:
    """Return the refusal of a head that is too large."""
    detail = f"The head of a request may have {MAX_BYTES:,} bytes and {MAX_FIELDS} header fields."
    hint = "Send fewer or shorter headers and a shorter query. Cookies of other services on this host count, too."
    return Refusal.of("head-too-large", detail, "header", expected=[MAX_BYTES, MAX_FIELDS], hint=hint)


def refusal(scope: Scope, headers: dict[bytes, bytes]) -> Refusal | None:
    """Return the refusal of a head, or None.

    Args:
        scope: the request.
        headers: its header fields by name.
    """
    fields = scope["headers"]
    if len(fields) > MAX_FIELDS:
        return too_large()
    size = len(b"".join(chain.from_iterable(fields))) + 4 * len(fields)  # ": " and the end of the line
    if size + len(scope["raw_path"]) + len(scope["query_string"]) > MAX_BYTES:
        return too_large()
    if b"transfer-encoding" in headers and b"content-length" in headers:
        return Refusal.of("malformed-request", FRAMED_TWICE, "header", "Content-Length", hint="Send one of the two.")
    return None
