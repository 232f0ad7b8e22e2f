"""The events of a job as a stream of server-sent events, with the ids that the list of events has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
from anyio import sleep, to_thread
from fastapi import Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import Response

from app.http.caller import Caller
from app.jobs import repository
from app.jobs.polling import POLL_SECONDS
from app.jobs.views import event_answer
from app.storage import Database
from core.errors import Refusal

MEDIA_TYPE = "text/event-stream"

ALIVE_EVERY = 15
"""Seconds after which a comment is sent, so that proxies do not close a stream without events."""

AT_ONCE = 500
"""Maximum number of events that are read at a time."""


def stream_events(request: Request, database: Database, caller: Caller, identity: str, after: int) -> Response:
    """Return a streaming response with the events after the event `after`, until the job has ended."""

    def look(last: int) -> tuple[list[tuple[int, bytes]], bool]:
        with database.read() as session:
            job = repository.find(session, identity, caller)
            events = repository.events_after(session, job, last, AT_ONCE)
            written = []
            for event in events:
                data = orjson.dumps(event_answer(event)).decode()
                written.append((event.id, format_sse_event(data_str=data, event=event.type, id=str(event.id))))
            is_over = job.status in repository.ENDED and job.events == (events[-1].id if events else last)
            return written, is_over

    async def stream() -> AsyncIterator[bytes]:
        last, quiet = after, 0.0
        while not await request.is_disconnected():
            try:
                events, is_over = await to_thread.run_sync(look, last)
            except Refusal:
                return  # The job was deleted or the database is unavailable. The client reconnects and gets the error.
            for number, event in events:
                last, quiet = number, 0.0
                yield event
            if is_over:
                return
            if quiet >= ALIVE_EVERY:
                quiet = 0.0
                yield b": still here\n\n"
            if not events:
                quiet += POLL_SECONDS
                await sleep(POLL_SECONDS)

    return EventSourceResponse(stream(), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
