"""The queue of jobs: workers claim jobs, end them or give them back; jobs of dead workers are requeued."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs import leases, sweeps, turns
from app.jobs.repository import LeaseLost, enter, find, find_for_worker, lock_held, tell
from app.storage.base import now
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

MOST_ATTEMPTS = 3
"""Number of times the process of a job may end by itself without a new checkpoint before the job fails."""


def claim(session: Session, executor: str, most_running: int | None = None) -> tuple[str, int] | None:
    """Assign the queued job whose turn it is to a worker.

    Args:
        session: a write transaction that has locked no job.
        executor: the id of the worker.
        most_running: the number of running jobs with which an owner is not served.

    Returns:
        The id and the fencing token of the job; None if there is no queued job that may run.

    Raises:
        LeaseLost: if the worker's lease has expired.
    """
    if not leases.is_alive(session, executor):
        raise LeaseLost(executor)
    turns.lock(session, turns.CLAIMS)
    found = turns.next_job(session, most_running)
    if found is None:
        return None
    try:
        sweeps.lock_sweep_of(session, found)
        job = find(session, found, lock=True)
    except (LeaseLost, Refusal):
        return None  # The job was deleted in the meantime.
    if job.status != "queued":
        return None  # It was paused or cancelled in the meantime.
    turns.record_turn(session, job)
    job.fencing_token += 1
    job.executor, job.started_at = executor, job.started_at or now()
    enter(session, job, "running")
    sweeps.update_sweep_of(session, job)
    return job.id, job.fencing_token


def is_waiting(session: Session, most_running: int | None = None) -> bool:
    """Return whether there is a job to claim. No lock is taken, so that idle workers do not queue for write access."""
    return turns.next_job(session, most_running) is not None


def others_wait(session: Session, identity: str, most_running: int | None = None) -> bool:
    """Return whether there would be a job to claim if this one, which is running, gave up its worker.

    Raises:
        LeaseLost: if the job was deleted.
    """
    leaving = find_for_worker(session, identity)
    return turns.next_job(session, most_running, leaving=leaving) is not None


def end_slice(session: Session, identity: str, fencing_token: int) -> None:
    """Return a job to the end of its queue, because others wait and its time slice is over.

    Raises:
        LeaseLost: if the worker no longer holds the job.
    """
    sweeps.lock_sweep_of(session, identity)
    job = lock_held(session, identity, fencing_token)
    job.fencing_token += 1
    job.executor, job.queued_at = None, leases.clock(session)
    enter(session, job, "queued")
    sweeps.update_sweep_of(session, job)


def jobs_of(session: Session, executor: str) -> list[tuple[str, int]]:
    """Return the id and the fencing token of every job that a worker holds."""
    mine = select(StoredJob.id, StoredJob.fencing_token).where(
        StoredJob.executor == executor, StoredJob.status == "running"
    )
    return [(identity, fencing_token) for identity, fencing_token in session.execute(mine).all()]


def succeed(session: Session, identity: str, fencing_token: int, result: dict[str, Any]) -> None:
    """Record that a job succeeded.

    Raises:
        LeaseLost: if the worker no longer holds the job.
    """
    _end(session, identity, fencing_token, "succeeded", result=result)


def fail(session: Session, identity: str, fencing_token: int, error: dict[str, Any]) -> None:
    """Record that a job failed.

    Raises:
        LeaseLost: if the worker no longer holds the job.
    """
    _end(session, identity, fencing_token, "failed", error=error)


def _end(session: Session, identity: str, fencing_token: int, status: str, **outcome: dict[str, Any]) -> None:
    sweeps.lock_sweep_of(session, identity)
    job = lock_held(session, identity, fencing_token)
    for name, value in outcome.items():
        setattr(job, name, value)
    job.executor = None
    job.progress = {**job.progress, "eta_seconds": 0.0} if status == "succeeded" else job.progress
    enter(session, job, status, **outcome)
    sweeps.update_sweep_of(session, job)


def give_back(session: Session, identity: str, fencing_token: int, *, reason: str, counts: bool) -> None:
    """Return a job to the queue. It continues from its last checkpoint.

    Args:
        session: a write transaction.
        identity: the id of the job.
        fencing_token: the fencing token that the worker got when it claimed the job.
        reason: a sentence about what happened.
        counts: whether the job's own process ended by itself, which is a failed attempt; after `MOST_ATTEMPTS` of them the
            job fails. A worker that was lost or stopped is no fault of its job.

    Raises:
        LeaseLost: if the worker no longer holds the job.
    """
    sweeps.lock_sweep_of(session, identity)
    job = lock_held(session, identity, fencing_token)
    job.attempts += counts
    if job.attempts >= MOST_ATTEMPTS:
        detail = f"The process of the job ended {job.attempts} times without a new checkpoint. The last time: {reason}"
        job.error = {
            "code": "job-failed",
            "detail": detail,
            "hint": "If memory ran out, train a smaller network or use a smaller batch_size.",
        }
        job.executor = None
        enter(session, job, "failed", error=job.error)
        sweeps.update_sweep_of(session, job)
        return
    job.fencing_token += 1
    job.executor = None
    tell(session, job, "warning", {"detail": reason, "attempts": job.attempts})
    enter(session, job, "queued")


def rescue(session: Session) -> int:
    """Requeue the jobs of all workers whose lease has expired. Returns the number of jobs."""
    count = 0
    for executor in leases.lock_expired(session):
        for identity, fencing_token in jobs_of(session, executor):
            try:
                give_back(
                    session, identity, fencing_token, reason="The worker of the job stopped responding.", counts=False
                )
                count += 1
            except (LeaseLost, Refusal):
                continue
        session.flush()
        leases.forget(session, executor)
    return count
