"""What callers do with a job: cancel, pause, resume.

    queued ──▸ running ──▸ succeeded, failed
       │  ◂──── │           a worker takes it, gives it back, ends it (`handing.py`)
       ▾        ▾
       paused ──▸ queued    pause, resume
       cancelled            from all three

Each verb makes `run` another number, so that whoever had the job can write nothing more about it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs import sweeps
from app.jobs.rows import enter, find
from app.storage.jobs import StoredJob
from core.errors import Refusal

FROM = {"cancel": ("queued", "running", "paused"), "pause": ("queued", "running"), "resume": ("paused",)}
TO = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}


def actions(job: StoredJob) -> list[str]:
    """The verbs that are legal now."""
    return [verb for verb, statuses in FROM.items() if job.status in statuses]


def act(session: Session, identity: str, verb: str) -> StoredJob:
    """Do it; a verb that took effect already may be repeated.

    Raises:
        Refusal: `not-found`, and `job-state` where the verb is not legal now.
    """
    sweep = find(session, identity).sweep
    # A sweep is locked before its parts, by everyone, so that no two wait for each other.
    parent = find(session, sweep, lock=True) if sweep else None
    job = find(session, identity, lock=True)
    if _took_effect(job, verb):
        return job
    if job.status not in FROM[verb]:
        legal = actions(job)
        hint = f"Legal now: {', '.join(legal)}." if legal else "It has ended; POST /v1/jobs starts another one."
        detail = f"Job {job.id} is {job.status}; it cannot {verb}."
        raise Refusal.of("job-state", detail, expected=legal, got=verb, hint=hint)
    _do(session, job, verb)
    for part in _parts(session, job):
        if part.status in FROM[verb]:
            _do(session, part, verb)
    if parent:
        sweeps.follow(session, parent)
    return job


def _took_effect(job: StoredJob, verb: str) -> bool:
    statuses = ("queued", "running") if verb == "resume" else (TO[verb],)
    return job.verb == verb and job.status in statuses


def _do(session: Session, job: StoredJob, verb: str) -> None:
    job.verb, job.executor, job.attempts = verb, None, 0
    job.run += 1
    enter(session, job, TO[verb])


def _parts(session: Session, job: StoredJob) -> list[StoredJob]:
    if not job.parts:
        return []
    mine = select(StoredJob).where(StoredJob.sweep == job.id).order_by(StoredJob.number)
    return list(session.scalars(mine.with_for_update()))
