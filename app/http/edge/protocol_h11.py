"""The guarded connections of h11, for where httptools is not installed."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.http.edge import heads
from app.http.edge.connection import GuardedConnection


class GuardedH11(GuardedConnection, H11Protocol):  # type: ignore[misc]  # The two protocols of uvicorn share no base.
    """A guarded connection that is parsed by h11."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = h11.Connection(h11.SERVER, heads.MAX_BYTES)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived."""
        super().data_received(data)
        self._unparsed = 0 if self._is_body() else self._left()

    def _is_too_large(self) -> bool:
        return self._left() > heads.MAX_BYTES

    def _left(self) -> int:
        """Return the number of bytes that have not been parsed."""
        return len(self.conn.trailing_data[0])

    def _is_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY

    def _make_last(self) -> None:
        super()._make_last()
        self.cycle.default_headers = [*self.cycle.default_headers, CLOSE_HEADER]
