"""Interim states: where a job stands between two checkpoints, also in the middle of an epoch. Each job has at most one.

They are for the worker that takes up the job again; checkpoints are what callers see.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.storage import blobs
from app.storage.tables.jobs import InterimState, StoredJob
from core.training import TrainingState


def save(session: Session, job: StoredJob, state: TrainingState) -> None:
    """Store the state of a locked job in the place of its last interim state."""
    drop(session, job)
    tensors = state.tensors()
    digest = blobs.digest_of(tensors)
    blobs.put(session, digest, tensors)
    session.add(InterimState(job=job.number, epoch=state.epoch, content=digest, notes=state.notes()))
    session.flush()
    job.attempts = 0


def drop(session: Session, job: StoredJob) -> None:
    """Delete the interim state of a locked job, if there is one."""
    there = session.get(InterimState, job.number, populate_existing=True)
    if there is not None:
        digest = there.content
        session.delete(there)
        session.flush()
        blobs.drop_unused(session, digest)
