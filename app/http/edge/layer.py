"""The outermost layer of the application: what is refused before routing, and how every request ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.content_length import read_content_length
from app.http.edge import heads
from app.http.edge.bodies import KEY, RETRY_AFTER, SMALL, Bodies, BodyInFlight, NoRoom
from app.http.edge.head_method import answer_head
from app.http.edge.hosts import AllowedHosts
from app.http.edge.origins import SAFE, AllowedOrigins, CrossOriginRequests
from app.http.problem_details import problem_response, refusal_response
from app.http.problem_types import PROBLEM_TYPES
from app.settings import Settings
from core.errors import Refusal

logger = logging.getLogger("gradd")


class Edge:
    """Guards an application. It works with every server; `protocol.py` adds what only the server itself can do."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = AllowedHosts(settings.allowed_hosts)
        self._origins = AllowedOrigins(settings.allowed_origins)
        self._cross_origin = CrossOriginRequests(self._answer, self._origins) if self._origins.listed else None
        self.bodies = Bodies(settings.max_bytes_in_flight, settings.max_upload_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._cross_origin:
            await self._cross_origin(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            # Where a request ends may be ambiguous after a malformed one.
            close = {"Connection": "close"} if refusal.issues[0].code == "malformed-request" else {}
            await refusal_response(refusal, scope["path"], close)(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            await answer_head(self._finish, scope, receive, send)
            return
        if scope["method"] in SAFE or (b"content-length" not in headers and b"transfer-encoding" not in headers):
            await self._finish(scope, receive, send)
            return
        announced = read_content_length(headers.get(b"content-length"))
        if announced is not None and announced <= SMALL:
            await self._take_small(announced, scope, receive, send)
            return
        body = BodyInFlight(self.bodies, announced, receive)
        scope[KEY] = body
        try:
            await self._finish(scope, body.receive, send)
        finally:
            body.release()

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> Refusal | None:
        host = headers.get(b"host")
        refusal = heads.refusal(scope, headers) or self._hosts.refusal(
            scope, host, is_single=len(headers) == len(scope["headers"])
        )
        if refusal is None and scope["method"] not in SAFE:
            return self._origins.refusal(host, headers.get(b"origin"), headers.get(b"sec-fetch-site"))
        return refusal

    async def _take_small(self, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        room = self.bodies.small
        try:
            room.reserve(size)
        except NoRoom as refusal:
            await refusal_response(refusal, scope["path"], refusal.headers)(scope, receive, send)
            return
        try:
            await self._finish(scope, receive, send)
        finally:
            room.release(size)

    async def _finish(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and see to it that the request ends with an answer and not with an exception."""
        start: Message | None = None
        is_complete = False

        def watched(message: Message) -> Awaitable[None]:
            nonlocal start, is_complete
            if message["type"] == "http.response.start":
                start = message
            else:
                is_complete = not message.get("more_body")
            return send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            # The server stops, and the grace period is over.
            if start is None:
                await _stopping(scope, receive, send)
            elif not is_complete:
                if not _is_event_stream(start):
                    raise  # Half an answer must not look like a whole one: the server cuts the connection.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            # Starlette raises a defect again once it is answered and logged, and the server would close the connection.
            if start is None:
                logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
                detail = "The server failed in a way it should not; the trace is in its log."
                await problem_response(PROBLEM_TYPES["internal-error"], detail, scope["path"])(scope, receive, send)
            elif not is_complete:
                raise


async def _stopping(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "The server stops, and the time that it gives running requests is over."
    headers = {"Connection": "close", "Retry-After": str(RETRY_AFTER)}
    await problem_response(PROBLEM_TYPES["not-ready"], detail, scope["path"], headers=headers)(scope, receive, send)


def _is_event_stream(start: Message) -> bool:
    types = [value for name, value in start["headers"] if name == b"content-type"]
    return any(value.startswith(b"text/event-stream") for value in types)
