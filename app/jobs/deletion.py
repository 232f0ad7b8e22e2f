"""Deletion of jobs that have ended, in transactions of a bounded size."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app.http.caller import OPERATOR, Caller
from app.jobs import interim_states
from app.jobs.checkpoints import list_checkpoints, remove
from app.jobs.repository import ENDED, find
from app.storage import Database, blobs
from app.storage.tables.jobs import StoredEvent, StoredJob
from core.errors import Refusal

MOST_EVENTS = 5_000
"""Number of events that one transaction deletes."""


def delete_job(database: Database, identity: str, caller: Caller = OPERATOR) -> None:
    """Delete a job with its events and checkpoints, and a sweep with its parts. The trained models are kept.

    A deletion that is interrupted has deleted some events, checkpoints or parts; the next one deletes the rest.

    Raises:
        Refusal: `not-found`; `job-state` if the job has not ended or is a part of a sweep.
    """
    with database.read() as session:
        find(session, identity, caller)
        parts = list(session.scalars(select(StoredJob.id).where(StoredJob.sweep == _deletable(session, identity).id)))
    for part in [*parts, identity]:
        while database.repeat(lambda session, part=part: _delete_events(session, identity, part)):  # type: ignore[misc]
            pass
        database.repeat(lambda session, part=part: _delete_rest(session, identity, part))  # type: ignore[misc]


def _deletable(session: Session, identity: str, *, lock: bool = False) -> StoredJob:
    job = find(session, identity, lock=lock)
    if job.sweep:
        detail = f"Job {job.id} is a part of the sweep {job.sweep} and can only be deleted with it."
        raise Refusal.of(
            "job-state", detail, got="delete", hint=f"DELETE /v1/jobs/{job.sweep} deletes the whole sweep."
        )
    if job.status not in ENDED:
        detail = f"Job {job.id} is {job.status}; only jobs that have ended can be deleted."
        raise Refusal.of("job-state", detail, got="delete", hint="Cancel the job first.")
    return job


def _lock(session: Session, identity: str, part: str) -> StoredJob | None:
    """Return a part of a sweep, or a job itself, after the sweep was locked; None if another request has deleted it."""
    _deletable(session, identity, lock=True)
    mine = select(StoredJob).where(StoredJob.id == part).with_for_update().execution_options(populate_existing=True)
    return session.scalars(mine).one_or_none()


def _delete_events(session: Session, identity: str, part: str) -> bool:
    """Delete the oldest events of a job, and return whether there are more."""
    job = _lock(session, identity, part)
    return job is not None and delete_events(session, job)


def delete_events(session: Session, job: StoredJob, *where: ColumnElement[bool]) -> bool:
    """Delete up to `MOST_EVENTS` events of a job, the oldest first, and return whether there are more."""
    chosen = select(StoredEvent.id).where(StoredEvent.job == job.number, *where).order_by(StoredEvent.id)
    last = session.scalars(chosen.offset(MOST_EVENTS).limit(1)).one_or_none()
    gone = delete(StoredEvent).where(StoredEvent.job == job.number, *where)
    session.execute(gone if last is None else gone.where(StoredEvent.id < last))
    return last is not None


def _delete_rest(session: Session, identity: str, part: str) -> None:
    job = _lock(session, identity, part)
    if job is None:
        return
    for checkpoint in list_checkpoints(session, job):
        remove(session, checkpoint, large_later=True)
    interim_states.drop(session, job)
    session.execute(delete(StoredJob).where(StoredJob.number == job.number))
    for digest in filter(None, (job.content, job.data)):
        blobs.drop_unused(session, digest, large_later=True)
