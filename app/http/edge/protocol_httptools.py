"""The guarded connections of httptools."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.http.edge.connection import GuardedConnection


class GuardedHttpTools(GuardedConnection, HttpToolsProtocol):
    """A guarded connection that is parsed by httptools."""

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request, also one whose body was not read before it was answered."""
        super().on_message_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self.cycle.more_body = False
            self._unparsed = 0
            self.deadline = self.loop.time() + self._connections.idle_seconds

    def _is_body(self) -> bool:
        return False  # Pieces of a body are counted as they are parsed.
