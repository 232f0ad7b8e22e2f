"""How jobs go to workers and come back: claimed, succeeded, failed, given back, rescued."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs import leases, sweeps
from app.jobs.repository import LeaseLost, enter, find, held, tell
from app.storage.base import now
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

MOST_ATTEMPTS = 3
"""How often a worker may die with a job before there is a new checkpoint."""


def claim(session: Session, executor: str) -> tuple[str, int] | None:
    """The oldest queued job for a worker, with the number of the run; None where there is none.

    Raises:
        Lost: where the worker's lease has ended.
    """
    if not leases.is_alive(session, executor):
        raise LeaseLost(executor)
    queued = select(StoredJob).where(StoredJob.status == "queued", StoredJob.parts == 0).order_by(StoredJob.number)
    found = session.scalars(queued.limit(1)).one_or_none()
    if found is None:
        return None
    try:
        sweeps.lock_sweep_of(session, found.id)
        job = find(session, found.id, lock=True)
    except (LeaseLost, Refusal):
        return None  # It was deleted in that moment.
    # Of several who found the same job one gets it; the others come again.
    if job.status != "queued":
        return None
    job.fencing_token += 1
    job.executor, job.started_at = executor, job.started_at or now()
    enter(session, job, "running")
    sweeps.part_changed(session, job)
    return job.id, job.fencing_token


def is_waiting(session: Session) -> bool:
    """Whether there is a job to claim: asked without a lock, so that idle workers do not stand in line to write."""
    queued = select(StoredJob.number).where(StoredJob.status == "queued", StoredJob.parts == 0)
    return session.scalars(queued.limit(1)).one_or_none() is not None


def jobs_of(session: Session, executor: str) -> list[tuple[str, int]]:
    """The jobs that a worker has, with the numbers of their runs."""
    mine = select(StoredJob.id, StoredJob.fencing_token).where(
        StoredJob.executor == executor, StoredJob.status == "running"
    )
    return [(identity, fencing_token) for identity, fencing_token in session.execute(mine).all()]


def succeed(session: Session, identity: str, fencing_token: int, result: dict[str, Any]) -> None:
    """The end of a run.

    Raises:
        Lost: where the worker has it no longer.
    """
    _end(session, identity, fencing_token, "succeeded", result=result)


def fail(session: Session, identity: str, fencing_token: int, error: dict[str, Any]) -> None:
    """The end of a run that could not go on.

    Raises:
        Lost: where the worker has it no longer.
    """
    _end(session, identity, fencing_token, "failed", error=error)


def _end(session: Session, identity: str, fencing_token: int, status: str, **outcome: dict[str, Any]) -> None:
    sweeps.lock_sweep_of(session, identity)
    job = held(session, identity, fencing_token)
    for name, value in outcome.items():
        setattr(job, name, value)
    job.executor = None
    job.progress = {**job.progress, "eta_seconds": 0.0} if status == "succeeded" else job.progress
    enter(session, job, status, **outcome)
    sweeps.part_changed(session, job)


def give_back(session: Session, identity: str, fencing_token: int, *, reason: str, counts: bool) -> None:
    """Back to the queue, to go on from the last checkpoint.

    Args:
        session: a transaction that writes.
        identity: of the job.
        fencing_token: the worker's.
        reason: what happened, for people.
        counts: whether this was an attempt that failed: after too many of them the job fails.

    Raises:
        Lost: where the worker has it no longer.
    """
    sweeps.lock_sweep_of(session, identity)
    job = held(session, identity, fencing_token)
    job.attempts += counts
    if job.attempts >= MOST_ATTEMPTS:
        detail = f"The worker ended {job.attempts} times without a new checkpoint. The last time: {reason}"
        job.error = {"code": "job-failed", "detail": detail, "hint": "A smaller network or batch may fit in memory."}
        job.executor = None
        enter(session, job, "failed", error=job.error)
        sweeps.part_changed(session, job)
        return
    job.fencing_token += 1
    job.executor = None
    tell(session, job, "warning", {"detail": reason, "attempts": job.attempts})
    enter(session, job, "queued")


def rescue(session: Session) -> int:
    """Put the jobs of workers whose lease has ended back into the queue; how many."""
    count = 0
    for executor in leases.ended(session):
        for identity, fencing_token in jobs_of(session, executor):
            try:
                give_back(session, identity, fencing_token, reason="Its worker does not answer any more.", counts=True)
                count += 1
            except (LeaseLost, Refusal):
                continue
        session.flush()
        leases.forget(session, executor)
    return count
