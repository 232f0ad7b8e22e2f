"""Refusals that are written to a connection without the application."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from uvicorn.server import ServerState

from app.http.problem_details import refusal_response
from core.errors import Refusal


def message_of(refusal: Refusal, server_state: ServerState, headers: Mapping[str, str]) -> bytes:
    """Return a refusal as an HTTP message, after which the connection is closed."""
    response = refusal_response(refusal, "/", {**headers, "Connection": "close"})
    fields = [*server_state.default_headers, *response.raw_headers]
    status = HTTPStatus(response.status_code)
    lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode()), *(name + b": " + value for name, value in fields)]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
