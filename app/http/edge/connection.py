"""What the edge adds to a connection of uvicorn: deadlines, limits of the head, refusals as problem documents."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, cast

from app.http.edge import heads
from app.http.edge.bodies import RETRY_AFTER
from app.http.edge.connections import Connections
from app.http.edge.refusals import message_of
from app.http.edge.transport import LingeringTransport
from core.errors import Refusal

LINGER_SECONDS = 2.0
"""Seconds for which a connection that closes may stand still."""

STALL_SECONDS = 30.0
"""Seconds after which a client that takes nothing of its answer is cut off."""

STOPPING_SECONDS = 0.5
"""Seconds for which connections without a request stay open when the server stops: one may be on its way."""

MALFORMED = "The request is not valid HTTP, or its body does not have the length or the chunks that it announces."

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
else:
    Base = asyncio.Protocol


class GuardedConnection(Base):
    """Comes before a protocol class of uvicorn. The connections are in the state that the application's lifespan yields."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, if there is room for it."""
        self.deadline = math.inf
        self._connections: Connections = self.app_state["connections"]
        self._raw = transport
        self._is_refused = False
        self._late: bytes | None = None
        self._unparsed = 0
        self._is_busy = False
        self._is_stopping = False
        self._unsent = math.inf
        lingering = LingeringTransport(transport, self._may_send, self._closing)
        super().connection_made(cast(asyncio.Transport, lingering))
        if self._connections.add(self):
            self.deadline = self.loop.time() + self._connections.head_seconds
        else:
            self._is_refused = True
            refusal = Refusal.of("overloaded", "Every connection of this server is in use.")
            transport.write(message_of(refusal, self.server_state, {"Retry-After": str(RETRY_AFTER)}))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, within the limits of a head."""
        if self._is_refused:
            return
        before = self.cycle
        if not self._unparsed and not self._is_busy and before is not None:
            self.deadline = self.loop.time() + self._connections.head_seconds
        self._unparsed += len(data)
        super().data_received(data)
        cycle = self.cycle
        if cycle is not before:
            self._unparsed = 0
            self._is_busy = True
            self.deadline = math.inf
            self._connections.set_busy(self)
            if self._is_stopping:
                self._make_last()
        elif self._is_too_large():
            self._refuse(heads.too_large())

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it."""
        if self._late is not None and not getattr(self, "pipeline", None):
            self._write_last(self._late)
            return
        super().on_response_complete()
        cycle = self.cycle
        if self.transport.is_closing() or not cycle.response_complete:
            return
        self._is_busy = False
        waiting = self._connections.body_seconds if cycle.more_body else self._connections.idle_seconds
        self.deadline = self.loop.time() + (STOPPING_SECONDS if self._is_stopping else waiting)
        self._connections.set_idle(self)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that uvicorn could not parse."""
        if self._is_too_large():
            self._refuse(heads.too_large())
        else:
            self._refuse(Refusal.of("malformed-request", MALFORMED))

    def shutdown(self) -> None:
        """Answer what has been received and what is on its way, and close."""
        self._is_stopping = True
        if self._in_flight():
            self._make_last()
        else:
            self.deadline = min(self.deadline, self.loop.time() + STOPPING_SECONDS)

    def pause_writing(self) -> None:
        """Wait until the client has taken some of the answer, which it has to do within some time."""
        super().pause_writing()
        self._unsent, self.deadline = math.inf, self.loop.time() + STALL_SECONDS

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if self._is_busy and not self.transport.is_closing():
            self.deadline = math.inf

    def expire(self) -> None:
        """Do what has to be done after the deadline."""
        if self.transport.is_closing() or self._is_busy:
            unsent = self._raw.get_write_buffer_size()
            if 0 < unsent < self._unsent:
                self._unsent, self.deadline = unsent, self.loop.time() + STALL_SECONDS
            else:
                self.transport.abort()
        elif self._unparsed and not self._is_body():
            seconds = self._connections.head_seconds
            detail = f"The head of the request did not arrive within {seconds:g} s."
            self._refuse(Refusal.of("request-timeout", detail, expected=seconds))
        else:
            self.transport.close()

    def give_way(self) -> None:
        """Close, to make room for another connection."""
        self._is_refused = True
        self._raw.close()

    def _refuse(self, refusal: Refusal) -> None:
        if self._is_refused:
            return
        self._is_refused = True
        message = message_of(refusal, self.server_state, {})
        if self._in_flight() and (getattr(self, "pipeline", None) or not self.cycle.more_body):
            self._late = message  # After the answers to the requests before it.
            self.flow.pause_reading()
        else:
            self._write_last(message)

    def _write_last(self, message: bytes) -> None:
        cycle = self.cycle
        if not self.transport.is_closing() and not (self._in_flight() and cycle.response_started):
            self.transport.write(message)
        if self._in_flight():
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _closing(self) -> None:
        self._is_refused = True
        self._unsent, self.deadline = math.inf, self.loop.time() + LINGER_SECONDS
        self._connections.set_busy(self)

    def _in_flight(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _may_send(self) -> bool:
        """Return whether the peer may be in the middle of a request."""
        return self._is_refused or bool(self._unparsed) or (self.cycle is not None and self.cycle.more_body)

    def _is_too_large(self) -> bool:
        """Return whether what has been received of a head is beyond its limit."""
        return self._unparsed > heads.MAX_BYTES and not self._is_body()

    def _is_body(self) -> bool:
        """Return whether what arrived last belongs to a body."""
        raise NotImplementedError

    def _make_last(self) -> None:
        """Close the connection after the request in flight."""
        self.cycle.keep_alive = False
