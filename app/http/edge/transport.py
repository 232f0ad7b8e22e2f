"""A transport that closes without a reset."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class LingeringTransport:
    """Passes everything on to a transport, but lets the peer read the last answer before it closes the connection.

    A connection that is closed while bytes of the peer are unread is reset, and the peer loses the answer. This one first
    ends its own direction; the protocol discards what still arrives, until the peer closes or some seconds are over.
    """

    def __init__(self, transport: asyncio.Transport, may_send: Callable[[], bool], closing: Callable[[], None]) -> None:
        """Wrap a transport.

        Args:
            transport: what is wrapped.
            may_send: returns whether the peer may be in the middle of a request.
            closing: called when the connection begins to close.
        """
        self._transport = transport
        self._may_send = may_send
        self._closing = closing
        self._lingers = False
        self.write = transport.write
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether nothing can be written any more."""
        return self._lingers or self._transport.is_closing()

    def close(self) -> None:
        """Close, after the peer has had the time to read what was written if it may still be sending."""
        if self.is_closing():
            return
        if self._may_send() and self._transport.can_write_eof():
            self._lingers = True
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()
        self._closing()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
