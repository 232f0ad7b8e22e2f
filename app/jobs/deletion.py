"""Deletion of jobs that have ended."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.jobs import interim_states
from app.jobs.checkpoints import list_checkpoints, remove
from app.jobs.repository import ENDED, find
from app.jobs.sweeps import parts_of
from app.storage import blobs
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal


def delete_job(session: Session, identity: str) -> None:
    """Delete a job with its events and checkpoints, and a sweep with its parts. The trained models are kept.

    Raises:
        Refusal: `not-found`; `job-state` if the job has not ended or is a part of a sweep.
    """
    job = find(session, identity, lock=True)
    if job.sweep:
        detail = f"Job {job.id} is a part of the sweep {job.sweep} and can only be deleted with it."
        raise Refusal.of(
            "job-state", detail, got="delete", hint=f"DELETE /v1/jobs/{job.sweep} deletes the whole sweep."
        )
    if job.status not in ENDED:
        detail = f"Job {job.id} is {job.status}; only jobs that have ended can be deleted."
        raise Refusal.of("job-state", detail, got="delete", hint="Cancel the job first.")
    for each in [*(parts_of(session, job, lock=True) if job.parts else ()), job]:
        for checkpoint in list_checkpoints(session, each):
            remove(session, checkpoint)
        interim_states.drop(session, each)
        session.execute(delete(StoredJob).where(StoredJob.number == each.number))
        for digest in filter(None, (each.content, each.data)):
            blobs.drop_unused(session, digest)
