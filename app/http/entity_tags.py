"""Entity tags (RFC 9110): a client that has a representation asks whether it is still the same, and is answered 304.

A tag has two parts, the hash of the resource and that of the representation: its format, encoding, convention and the version
of the service. Both are known before a single tensor is read. If-None-Match compares whole tags, If-Match the first part:
who changes the name of a model may have read it in any representation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from app import VERSION
from core.errors import Refusal

Resource = Callable[[], Any]
"""Returns all that can change of a resource, as JSON: for instance its id, which is the hash of its content, and its name."""

CACHING = "private, no-cache"
"""Caches of the client may keep an answer, and ask whether it is still the same before each use."""


def entity_tag(resource: Any, *representation: str | None) -> str:
    """Return the strong tag of a representation."""
    return f'"{_hash(resource)}.{_hash([VERSION, *representation])}"'


def is_same(if_none_match: str | None, tag: str) -> bool:
    """Return whether a client that sent If-None-Match has the representation with this tag."""
    return if_none_match is not None and any(sent in ("*", tag) for sent in _tags(if_none_match))


def refuse_if_changed(if_match: str | None, resource: Any) -> None:
    """Refuse a change of a resource that is not in the state which If-Match names.

    Raises:
        Refusal: `precondition-failed`.
    """
    if if_match is None or any(
        sent == "*" or sent.startswith(f'"{_hash(resource)}.') for sent in _tags(if_match, weak=False)
    ):
        return
    raise Refusal.of(
        "precondition-failed",
        "The resource has been changed since the ETag of If-Match was given.",
        hint="GET it again, and send the change with the ETag of that answer if it is still wanted.",
    )


def tagged(response: Response, tag: str) -> Response:
    """Return the response with its tag, and what caches may do with it."""
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = CACHING
    return response


def not_modified(tag: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a client that has the representation with this tag."""
    return tagged(Response(status_code=304, headers=dict(headers or {})), tag)


def page_response(content: bytes, media_type: str, if_none_match: str | None) -> Response:
    """Return a small page with the tag of its bytes, or 304."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    if is_same(if_none_match, tag):
        return not_modified(tag)
    return tagged(Response(content, media_type=media_type), tag)


def _hash(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()[:24]


def _tags(header: str, *, weak: bool = True) -> list[str]:
    """Return the tags of a header. Our own have no commas; a proxy that compresses may have made them weak."""
    return [tag.strip().removeprefix("W/" if weak else "") for tag in header.split(",")]
