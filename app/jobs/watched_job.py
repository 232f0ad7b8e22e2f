"""WatchedJob: what a server process knows of a job that somebody waits for."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 500
"""Number of the latest events of a job that are kept in memory, and of events that are read at a time."""

Message = tuple[int, bytes]
"""The id of an event, and the event as it is sent."""

News = tuple[str, list[Message]]
"""The status of a job, and its new events."""


@dataclass(slots=True, eq=False)
class WatchedJob:
    """What is known of a job that somebody waits for."""

    id: str
    status: str = ""
    """Status of the job; empty before the first look."""

    last: int = 0
    """Id of the last event."""

    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """The latest events, without gaps up to `last`."""

    gone: bool = False
    """Whether the job was deleted, or the database does not answer."""

    listeners: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once something of this has changed, and then replaced."""

    answer: tuple[int, float, dict[str, Any]] | None = None
    """The last event and the time when the job was read, and the job as the API shows it."""

    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def update(self, news: News) -> None:
        """Take over what a look has found."""
        self.status, messages = news
        if messages:
            if messages[0][0] != self.last + 1:
                self.messages.clear()
            self.messages.extend(messages)
            self.last = messages[-1][0]

    def wake(self) -> None:
        """Wake the listeners."""
        self.changed.set()
        self.changed = asyncio.Event()

    def remembered_after(self, last: int) -> list[Message] | None:
        """Return the events after that one; None if the memory does not reach so far back."""
        if last >= self.last:
            return []
        missing = self.last - last
        return list(self.messages)[-missing:] if missing <= len(self.messages) else None
