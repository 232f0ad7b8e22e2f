"""JobWatch: one look at the database for all who wait for events of jobs in this process.

One task asks, in one query per interval, for the last event of every job that somebody waits for, and reads the events that
are new. Listeners wake and take them from memory. One that is further behind than the memory reaches, because it has just
come or reads slowly, catches up from the database at its own pace, so that nothing is kept for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from anyio import to_thread
from fastapi.sse import format_sse_event
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.http.retry_later import RetryLater
from app.jobs import repository
from app.jobs.polling import POLL_SECONDS
from app.jobs.views import event_answer, job_answer
from app.jobs.watched_job import REMEMBERED, Message, News, WatchedJob
from app.storage import Database
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

ASKED_AT_ONCE = 500
"""Number of jobs in a query."""

RETRY_AFTER = 5
"""Seconds after which a client may try again to listen."""


class JobWatch:
    """Looks for news of jobs on behalf of all listeners of a server process. It belongs to one event loop."""

    def __init__(self, database: Database, most_listeners: int) -> None:
        self._database, self._most = database, most_listeners
        self._jobs: dict[str, WatchedJob] = {}
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def listen(self, identity: str) -> Iterator[WatchedJob]:
        """Watch a job as long as the context lasts.

        Raises:
            RetryLater: `overloaded`, if too many listeners are there already.
        """
        self.refuse_too_many()
        job = self._jobs.setdefault(identity, WatchedJob(identity))
        job.listeners += 1
        self._listeners += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_while_needed())
        try:
            yield job
        finally:
            job.listeners -= 1
            self._listeners -= 1
            if not job.listeners and self._jobs.get(identity) is job:
                del self._jobs[identity]

    def refuse_too_many(self) -> None:
        """Refuse another listener where the limit is reached.

        Raises:
            RetryLater: `overloaded`.
        """
        if self._listeners >= self._most:
            detail = f"{self._listeners} requests wait for events of jobs, as many as this server process allows."
            raise RetryLater("overloaded", detail, RETRY_AFTER, expected=self._most)

    async def messages_after(self, job: WatchedJob, last: int) -> list[Message]:
        """Return events after that one, oldest first: all of them from memory, or the next ones from the database.

        Raises:
            Refusal: if the job is gone or the database does not answer.
        """
        known = job.remembered_after(last)
        if known is not None:
            return known
        return await to_thread.run_sync(self._read_messages, job.id, last)

    async def answer(self, job: WatchedJob) -> dict[str, Any]:
        """Return the job as the API shows it. Listeners that ask after the same event share one answer.

        Raises:
            Refusal: if the job is gone or the database does not answer.
        """
        async with job.reading:
            known = job.answer
            if known is None or known[0] != job.last or time.monotonic() - known[1] > POLL_SECONDS:
                known = job.last, time.monotonic(), await to_thread.run_sync(self._read_answer, job.id)
                job.answer = known
            return known[2]

    async def _look_while_needed(self) -> None:
        while self._jobs:
            jobs = list(self._jobs.values())
            known = {job.id: job.last for job in jobs}
            try:
                news = await to_thread.run_sync(self._look, known)
            except Refusal:
                news = {}
            for job in jobs:
                if job.id in news:
                    job.update(news[job.id])
                else:
                    job.gone = True
                    if self._jobs.get(job.id) is job:
                        del self._jobs[job.id]  # The next listener asks anew.
                job.wake()
            await asyncio.sleep(POLL_SECONDS)

    def _look(self, known: dict[str, int]) -> dict[str, News]:
        """Return the status of jobs, and their events after those that are known. Runs in a thread."""
        identities, news = list(known), {}
        with self._database.read() as session:
            for start in range(0, len(identities), ASKED_AT_ONCE):
                asked = StoredJob.id.in_(identities[start : start + ASKED_AT_ONCE])
                rows = select(StoredJob.id, StoredJob.number, StoredJob.status, StoredJob.events).where(asked)
                for identity, number, status, last in session.execute(rows):
                    first = max(known[identity], last - REMEMBERED)
                    messages = self._messages(session, number, first) if last > known[identity] else []
                    news[identity] = status, messages
        return news

    def _read_messages(self, identity: str, last: int) -> list[Message]:
        with self._database.read() as session:
            return self._messages(session, repository.find(session, identity).number, last)

    def _messages(self, session: Session, number: int, last: int) -> list[Message]:
        messages = []
        for event in repository.events_after(session, number, last, REMEMBERED):
            data = orjson.dumps(event_answer(event)).decode()
            messages.append((event.id, format_sse_event(data_str=data, event=event.type, id=str(event.id))))
        return messages

    def _read_answer(self, identity: str) -> dict[str, Any]:
        with self._database.read() as session:
            return job_answer(session, repository.find(session, identity))
