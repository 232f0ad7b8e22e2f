"""Access to stored jobs: finding and locking them, and recording their status and events."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.http.caller import OPERATOR, Caller
from app.storage.base import now
from app.storage.numbered import may_be_id
from app.storage.ownership import visible
from app.storage.tables.jobs import StoredEvent, StoredJob
from core.errors import Refusal

ENDED = ("succeeded", "failed", "cancelled")


class LeaseLost(Exception):
    """The worker no longer holds the job: it was cancelled, paused or assigned to another worker."""


def new_id() -> str:
    """Return the id of a new job."""
    return f"job_{secrets.token_hex(12)}"


def find(session: Session, identity: str, caller: Caller = OPERATOR, *, lock: bool = False) -> StoredJob:
    """Return a job. With `lock`, its row is locked until the transaction ends.

    Raises:
        Refusal: `not-found`, also if the caller may not see it.
    """
    seen = StoredJob.id == identity, visible(StoredJob, caller)
    query = select(StoredJob).where(*seen).execution_options(populate_existing=True)
    job = session.scalars(query.with_for_update() if lock else query).one_or_none() if may_be_id(identity) else None
    if job is None:
        raise Refusal.of("not-found", f"There is no job {identity[:60]!r}.", hint="GET /v1/jobs lists them.")
    return job


def find_for_worker(session: Session, identity: str) -> StoredJob:
    """Return a job for a worker.

    Raises:
        LeaseLost: if the job was deleted.
    """
    try:
        return find(session, identity)
    except Refusal:
        raise LeaseLost(identity) from None


def lock_held(session: Session, identity: str, fencing_token: int) -> StoredJob:
    """Return a job that the worker holds, with its row locked.

    Raises:
        LeaseLost: if the worker no longer holds it.
    """
    mine = StoredJob.id == identity, StoredJob.fencing_token == fencing_token, StoredJob.status == "running"
    job = session.scalars(select(StoredJob).where(*mine).with_for_update()).one_or_none()
    if job is None:
        raise LeaseLost(identity)
    return job


def tell(session: Session, job: StoredJob, type: str, data: dict[str, Any]) -> None:
    """Add an event to a job. Its row must be locked, so that event ids ascend without gaps."""
    job.events += 1
    session.add(StoredEvent(job=job.number, id=job.events, at=now(), type=type, data=data))


def enter(session: Session, job: StoredJob, status: str, **more: Any) -> None:
    """Set the status of a locked job and add the event about it."""
    job.status = status
    if status in ENDED:
        job.finished_at = now()
    tell(session, job, "status", {"status": status, **more})


def events_after(session: Session, number: int, after: int, limit: int) -> Sequence[StoredEvent]:
    """Return the events of the job with that number after the event `after`, oldest first."""
    wanted = StoredEvent.job == number, StoredEvent.id > after
    return session.scalars(select(StoredEvent).where(*wanted).order_by(StoredEvent.id).limit(limit)).all()
