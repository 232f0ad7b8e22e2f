"""RequestRecord: what is known of one request while it is answered, and the request that the present code works for."""

from __future__ import annotations

import re
import secrets
import time
from contextvars import ContextVar

from starlette.types import Message, Receive, Scope, Send

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"))
HEADER = b"x-request-id"
CLIENT_LEFT = 499
"""The status under which a request is recorded whose client left before it was answered. Nobody receives it."""

_VALID_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")

current: ContextVar[RequestRecord | None] = ContextVar("gradd_request", default=None)
"""The request that is being answered. Threads of anyio see that of the task that started them."""


class RequestRecord:
    """The measures of one request. Its `send` passes messages on to the server, with the request's id in the answer."""

    __slots__ = (
        "_receive",
        "_route",
        "_scope",
        "_send",
        "client",
        "compute_seconds",
        "id",
        "method",
        "queue_seconds",
        "request_bytes",
        "response_bytes",
        "start",
        "status",
        "trace",
        "traceparent",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.start = time.perf_counter()
        self.status = CLIENT_LEFT
        self.request_bytes = self.response_bytes = 0
        self.queue_seconds: float | None = None
        """Seconds that it waited for a thread; None if it needed none."""
        self.compute_seconds: float | None = None
        self.trace: str | None = None
        """The id of its trace, if it is traced."""
        self.traceparent: str | None = None
        """Its place in its trace, as the header of W3C's Trace Context writes it."""
        self._scope, self._receive, self._send = scope, receive, send
        self._route: str | None = None
        method: str = scope["method"]
        self.method = method if method in METHODS else "_OTHER"
        client = scope.get("client")
        self.client: str | None = client[0] if client else None
        identity = b""
        for name, value in scope["headers"]:
            if name == HEADER:
                identity = value
            elif name == b"content-length" and value.isdigit() and len(value) < 16:
                self.request_bytes = int(value)
        self.id = identity.decode() if _VALID_ID.fullmatch(identity) else secrets.token_hex(16)

    @property
    def route(self) -> str:
        """The template of its path, such as `/v1/models/{id}`; empty for a path that there is not."""
        if self._route is None:
            return getattr(self._scope.get("route"), "path", "")
        return self._route

    @route.setter
    def route(self, template: str) -> None:
        self._route = template

    @property
    def receive(self) -> Receive:
        """The function from which the application receives the body, which counts it if its length was not announced."""
        return self._receive if self.request_bytes else self._count_received

    async def _count_received(self) -> Message:
        message = await self._receive()
        self.request_bytes += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the answer to the client."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (HEADER, self.id.encode())]
        else:
            self.response_bytes += len(message.get("body", b""))
        await self._send(message)


def occurrence(path: str) -> str:
    """Return the URI reference of a refusal: the path, and the id of the present request as a fragment."""
    record = current.get()
    return f"{path}#request-{record.id}" if record else path


def log_context() -> dict[str, str]:
    """Return the fields that every log record of the present request has."""
    record = current.get()
    if record is None:
        return {}
    return {"request_id": record.id} | ({"trace_id": record.trace} if record.trace else {})
