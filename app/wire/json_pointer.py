"""Paths in a request: of a byte of its text, and of a location reported by pydantic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from app.wire.limits import NAME_LIMIT
from core.errors import Path

_TEXT_LIMIT = 4 * 2**20
"""Maximum number of bytes read to find a path: a document of commas takes 0.2 µs for each."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[{}\[\],:]', re.DOTALL)


def path_at(body: bytes, offset: int) -> Path:
    """Return the path of the value that contains this byte, as far as the text before it is JSON.

    Returns an empty path if finding it would take too long.
    """
    if offset > _TEXT_LIMIT:
        return ()
    nodes: list[str | int | None] = []  # None: an object before its next name.
    name: str | None = None
    for match in _TOKEN.finditer(body, 0, offset):
        token = match[0]
        if token in (b"[", b"{"):
            nodes.append(0 if token == b"[" else None)
        elif token in (b"]", b"}"):
            if not nodes:
                break
            nodes.pop()
        elif token == b",":
            if nodes:
                last = nodes[-1]
                nodes[-1] = last + 1 if isinstance(last, int) else None
        elif token == b":":
            if nodes and nodes[-1] is None:
                nodes[-1] = name
        else:
            name = _name(token)
    return tuple(node for node in nodes if node is not None)


def _name(token: bytes) -> str | None:
    """Return the text of a quoted name; None if it is malformed or too long."""
    if len(token) > NAME_LIMIT:
        return None
    try:
        return str(orjson.loads(token))
    except orjson.JSONDecodeError:
        return None


def path_of(location: Sequence[str | int], document: Any, missing: bool = False) -> Path:
    """Return the path of a pydantic location in the document that it validated.

    A location also contains union members and validators, which are not keys of the document and are dropped. `missing`
    states that the last entry is a missing field.
    """
    path: list[str | int] = []
    value = document
    last = len(location) - 1
    for position, entry in enumerate(location):
        inside, child = _child(value, entry)
        if inside:
            path.append(entry)
            value = child
        elif missing and position == last:
            path.append(entry)
    return tuple(path)


def _child(value: Any, entry: str | int) -> tuple[bool, Any]:
    """Return whether a value has this entry, and its value."""
    if isinstance(value, dict) and entry in value:
        return True, value[entry]
    if isinstance(value, list) and isinstance(entry, int) and entry < len(value):
        return True, value[entry]
    return False, None


def value_at(path: Sequence[str | int], document: Any) -> Any:
    """Return the value at a path of a document; None if there is none."""
    for entry in path:
        _, document = _child(document, entry)
    return document
