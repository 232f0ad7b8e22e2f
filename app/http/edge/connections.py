"""The connections of a server process: their number, their deadlines, and which of them have been idle longest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from app.settings import Settings

INTERVAL = 0.25
"""Seconds between two looks at the deadlines. A timer for each connection would cost every request more."""


class Connection(Protocol):
    """What is known of a connection here."""

    deadline: float
    """The time of the event loop from which on it is expired."""

    def expire(self) -> None:
        """Do what has to be done after the deadline."""

    def give_way(self) -> None:
        """Close, to make room for another connection."""


@dataclass(slots=True)
class Connections:
    """All connections, and those without a request in the order in which they became idle."""

    limit: int
    head_seconds: float
    idle_seconds: float
    body_seconds: float
    _all: set[Connection] = field(default_factory=set)
    _idle: OrderedDict[Connection, None] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, settings: Settings) -> Connections:
        """Return the connections of a server with these settings."""
        return cls(
            settings.max_connections, settings.max_head_seconds, settings.max_idle_seconds, settings.max_body_seconds
        )

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection) -> bool:
        """Add a new connection, which is idle, and close others to make room for it.

        Returns:
            False if all other connections have requests: it was not added.
        """
        while len(self._all) >= self.limit:
            if not self._idle:
                return False
            oldest = next(iter(self._idle))
            self.remove(oldest)
            oldest.give_way()
        self._all.add(connection)
        self._idle[connection] = None
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        self._all.discard(connection)
        self._idle.pop(connection, None)

    def set_idle(self, connection: Connection) -> None:
        """Make a connection the one that has been idle for the shortest time."""
        if connection in self._all:
            self._idle[connection] = None
            self._idle.move_to_end(connection)

    def set_busy(self, connection: Connection) -> None:
        """Keep a connection from being closed to make room."""
        self._idle.pop(connection, None)

    async def wait_closed(self, seconds: float) -> None:
        """Wait until all connections are closed, for a number of seconds at most.

        Requests that the server has cancelled write their last answer in the meantime.
        """
        end = asyncio.get_running_loop().time() + seconds
        while self._all and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)

    async def watch(self) -> None:
        """Expire connections for as long as the server runs."""
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(INTERVAL)
            for connection in [each for each in self._all if each.deadline <= now()]:
                connection.expire()
