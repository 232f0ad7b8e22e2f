"""Limits of the queue: how many jobs may wait in all, and of one key."""

from __future__ import annotations

import math

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.http.retry_later import RetryLater
from app.jobs import turns
from app.settings import Settings
from app.storage.tables.jobs import StoredJob

SHORTEST, LONGEST = 1, 3600
"""Bounds in seconds of what a client is told to wait."""

USUAL = 60
"""Seconds that a client is told to wait if no running job knows when it will end."""


def refuse_beyond_limits(session: Session, settings: Settings, owner: str | None) -> None:
    """Refuse what the transaction has put into the queue if there are now too many jobs in it.

    Call it last: on PostgreSQL, transactions that put jobs into the queue wait for each other from here to their end.

    Raises:
        RetryLater: `rate-limited` if the key has too many jobs that wait or are paused; `overloaded` if too many wait in all.
    """
    turns.lock(session, turns.POSTS)
    session.flush()
    jobs = select(func.count()).select_from(StoredJob).where(StoredJob.parts == 0)
    most = settings.max_queued_jobs_per_key
    if owner is not None:
        mine = session.scalar(jobs.where(StoredJob.owner == owner, StoredJob.status.in_(("queued", "paused")))) or 0
        if mine > most:
            detail = f"With this request {mine} jobs of this key would wait or be paused; this server allows {most}."
            raise RetryLater("rate-limited", detail, _seconds_to_wait(session), expected=most, got=mine)
    most = settings.max_queued_jobs
    waiting = session.scalar(jobs.where(StoredJob.status == "queued")) or 0
    if waiting > most:
        detail = f"With this request {waiting} jobs would wait in the queue; this server allows {most}."
        raise RetryLater("overloaded", detail, _seconds_to_wait(session), expected=most, got=waiting)


def _seconds_to_wait(session: Session) -> int:
    """Return when a place in the queue will be free: when the first of the running jobs ends."""
    running = select(StoredJob.progress).where(StoredJob.status == "running", StoredJob.parts == 0)
    known = [progress["eta_seconds"] for progress in session.scalars(running) if "eta_seconds" in progress]
    return max(SHORTEST, min(LONGEST, math.ceil(min(known, default=USUAL))))
