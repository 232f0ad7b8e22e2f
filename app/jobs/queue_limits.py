"""Limits of jobs: how many may wait in all, and how many may wait or run of one key."""

from __future__ import annotations

import math

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.refusals import too_much
from app.http.caller import Caller
from app.http.retry_later import RetryLater
from app.jobs import turns
from app.settings import Settings
from app.storage.tables.jobs import StoredJob

SHORTEST, LONGEST = 1, 3600
"""Bounds in seconds of what a client is told to wait."""

USUAL = 60
"""Seconds that a client is told to wait if no running job knows when it will end."""


def refuse_beyond_limits(session: Session, settings: Settings, caller: Caller) -> None:
    """Refuse what the transaction has put into the queue if there are now too many jobs in it.

    Call it last: on PostgreSQL, transactions that put jobs into the queue wait for each other from here to their end.

    Raises:
        RetryLater: `rate-limited` if the key has too many jobs; `overloaded` if too many wait in all.
    """
    turns.lock(session, turns.POSTS)
    session.flush()
    jobs = select(func.count()).select_from(StoredJob).where(StoredJob.parts == 0)
    if caller.owner is not None:
        mine = jobs.where(StoredJob.owner == caller.owner)
        count = session.scalar(mine.where(StoredJob.status.in_(("queued", "running")))) or 0
        if caller.quota.jobs is not None and count > caller.quota.jobs:
            detail = f"The key allows {caller.quota.jobs:,} jobs that are queued or running; it would have {count:,}."
            raise too_much(detail, _seconds_to_wait(session))
        most = settings.max_queued_jobs_per_key
        count = session.scalar(mine.where(StoredJob.status.in_(("queued", "paused")))) or 0
        if count > most:
            detail = (
                f"This server allows {most:,} jobs of a key that wait or are paused; this one would have {count:,}."
            )
            raise too_much(detail, _seconds_to_wait(session))
    most = settings.max_queued_jobs
    count = session.scalar(jobs.where(StoredJob.status == "queued")) or 0
    if count > most:
        detail = f"This server allows {most:,} jobs that wait; with this request there would be {count:,}."
        raise RetryLater("overloaded", detail, _seconds_to_wait(session), expected=most, got=count)


def _seconds_to_wait(session: Session) -> int:
    """Return when a place in the queue will be free: when the first of the running jobs ends."""
    running = select(StoredJob.progress).where(StoredJob.status == "running", StoredJob.parts == 0)
    known = [progress["eta_seconds"] for progress in session.scalars(running) if "eta_seconds" in progress]
    return max(SHORTEST, min(LONGEST, math.ceil(min(known, default=USUAL))))
