"""Rows of jobs: how they are found, locked and written about."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.storage.base import now
from app.storage.numbered import may_be_id
from app.storage.tables.jobs import StoredEvent, StoredJob
from core.errors import Refusal

ENDED = ("succeeded", "failed", "cancelled")


class LeaseLost(Exception):
    """The job is no longer this worker's: it was cancelled, paused, or handed to another one."""


def new_id() -> str:
    """The id of a new job."""
    return f"job_{secrets.token_hex(12)}"


def find(session: Session, identity: str, *, lock: bool = False) -> StoredJob:
    """The row of a job; locked, until the transaction ends, for one that changes it.

    Raises:
        Refusal: `not-found`.
    """
    query = select(StoredJob).where(StoredJob.id == identity).execution_options(populate_existing=True)
    job = session.scalars(query.with_for_update() if lock else query).one_or_none() if may_be_id(identity) else None
    if job is None:
        raise Refusal.of("not-found", f"There is no job {identity[:60]!r}.", hint="GET /v1/jobs lists them.")
    return job


def known(session: Session, identity: str) -> StoredJob:
    """The row of a job, for a worker.

    Raises:
        Lost: where it was deleted.
    """
    try:
        return find(session, identity)
    except Refusal:
        raise LeaseLost(identity) from None


def held(session: Session, identity: str, fencing_token: int) -> StoredJob:
    """The locked row of a job that this worker has.

    Raises:
        Lost: where it has it no longer.
    """
    mine = StoredJob.id == identity, StoredJob.fencing_token == fencing_token, StoredJob.status == "running"
    job = session.scalars(select(StoredJob).where(*mine).with_for_update()).one_or_none()
    if job is None:
        raise LeaseLost(identity)
    return job


def tell(session: Session, job: StoredJob, type: str, data: dict[str, Any]) -> None:
    """Add an event to a job whose row is locked, so that ids ascend without gaps and each event is there once."""
    job.events += 1
    session.add(StoredEvent(job=job.number, id=job.events, at=now(), type=type, data=data))


def enter(session: Session, job: StoredJob, status: str, **more: Any) -> None:
    """Let a locked job have another status, and say so."""
    job.status = status
    if status in ENDED:
        job.finished_at = now()
    tell(session, job, "status", {"status": status, **more})


def events_after(session: Session, job: StoredJob, after: int, limit: int) -> Sequence[StoredEvent]:
    """The next events, ascending."""
    wanted = StoredEvent.job == job.number, StoredEvent.id > after
    return session.scalars(select(StoredEvent).where(*wanted).order_by(StoredEvent.id).limit(limit)).all()


def position(session: Session, job: StoredJob) -> int | None:
    """The place of a queued job in the queue, counted from 1."""
    if job.status != "queued" or job.parts:
        return None
    before = StoredJob.status == "queued", StoredJob.parts == 0, StoredJob.number <= job.number
    return session.scalar(select(func.count()).select_from(StoredJob).where(*before))
