"""The bytes of all bodies that are in flight, in memory and on disk, and their limits."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope

from app.http.retry_later import RetryLater

SMALL = 64 * 2**10
"""Largest number of bytes of a small body."""

SHARE = 8
"""The part of the limit that is kept for small bodies: one eighth."""

RETRY_AFTER = 2
"""Seconds after which a client is asked to send a refused body again."""

BLOCK = 2**20
"""Bytes of memory that a body may take while it is written to disk."""

KEY = "gradd.body"
"""The key of a body in the scope of its request."""


class NoRoom(RetryLater):
    """Too many bytes of other bodies are in flight."""

    def __init__(self) -> None:
        detail = "The bodies of other requests take all the room that this server has for bodies."
        super().__init__("overloaded", detail, RETRY_AFTER)


class Room:
    """A number of bytes that reservations share. A single reservation may be larger: it then has the room to itself."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def reserve(self, size: int) -> None:
        """Reserve some bytes.

        Raises:
            NoRoom: if there are too few.
        """
        if self.held and self.held + size > self.limit:
            raise NoRoom
        self.held += size

    def release(self, size: int) -> None:
        """Release some bytes."""
        self.held -= size


class Bodies:
    """The room for the bodies of a server process. Small bodies have a part of their own, so that large ones leave it."""

    def __init__(self, memory: int, disk: int) -> None:
        self.small = Room(memory // SHARE)
        self.large = Room(memory - memory // SHARE)
        self.disk = Room(disk)

    @property
    def held(self) -> int:
        """Number of bytes of memory that are reserved."""
        return self.small.held + self.large.held


class BodyInFlight:
    """A body that is large, or of a size that is not known before it has arrived.

    An announced body reserves its size when the application starts to read it; another one as it arrives.
    """

    def __init__(self, bodies: Bodies, announced: int | None, receive: Receive) -> None:
        self._bodies = bodies
        self._announced = announced
        self._receive = receive
        self._size = 0
        self._room = bodies.small
        self._reserved = 0
        self._on_disk = False

    async def receive(self) -> Message:
        """Receive the next message.

        Raises:
            NoRoom: before an announced body is read, or when another one has grown too large.
        """
        if self._announced is not None and not self._size:
            self._grow(self._announced)
        message = await self._receive()
        if self._announced is None:
            self._grow(len(message.get("body", b"")))
        return message

    def keep_on_disk(self) -> None:
        """Count the body as bytes on disk. It has not been read yet."""
        self._on_disk = True

    def release(self) -> None:
        """Release what the body has reserved."""
        self._room.release(self._reserved)
        if self._on_disk:
            self._bodies.disk.release(self._size)
        self._reserved = self._size = 0

    def _grow(self, more: int) -> None:
        if self._on_disk:
            self._bodies.disk.reserve(more)
        self._size += more
        wanted = min(self._size, BLOCK) if self._on_disk else self._size
        if self._room is self._bodies.small and wanted > SMALL:
            self._room.release(self._reserved)
            self._room, self._reserved = self._bodies.large, 0
        self._room.reserve(wanted - self._reserved)
        self._reserved = wanted


def keep_on_disk(scope: Scope) -> None:
    """Count the body of a request as bytes on disk, because it is received into a file."""
    body: BodyInFlight | None = scope.get(KEY)
    if body is not None:
        body.keep_on_disk()
