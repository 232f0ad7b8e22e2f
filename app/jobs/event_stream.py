"""The events of a job as a stream of server-sent events, with the ids that the list of events has."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyio import move_on_after
from fastapi.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from app.jobs.repository import ENDED
from app.jobs.watch import JobWatch
from app.jobs.watched_job import WatchedJob
from core.errors import Refusal

MEDIA_TYPE = "text/event-stream"

ALIVE_EVERY = 15
"""Seconds after which a comment is sent, so that proxies do not close a stream without events."""

STILL_HERE = b": still here\n\n"


class EventStream(EventSourceResponse):
    """A response with the events of a job after one of them, until the job has ended."""

    def __init__(self, watch: JobWatch, identity: str, after: int) -> None:
        super().__init__(iter(()), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._watch, self._identity, self._after = watch, identity, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events.

        Raises:
            RetryLater: `overloaded`, before anything was sent, if there are too many listeners.
        """
        with self._watch.listen(self._identity) as job:
            self.body_iterator = self._events(job)
            await super().__call__(scope, receive, send)

    async def _events(self, job: WatchedJob) -> AsyncIterator[bytes]:
        last = self._after
        while True:
            changed = job.changed
            try:
                messages = await self._watch.messages_after(job, last)
            except Refusal:
                return  # The job was deleted or the database is unavailable. The client reconnects and gets the error.
            for number, message in messages:
                last = number
                yield message
            if messages:
                continue
            if job.gone or (job.status in ENDED and last >= job.last):
                return
            with move_on_after(ALIVE_EVERY) as quiet:
                await changed.wait()
            if quiet.cancelled_caught:
                yield STILL_HERE
