"""What callers do with a job: cancel, pause, resume.

    queued ──▸ running ──▸ succeeded, failed
       │  ◂──── │           a worker takes it, gives it back, ends it (`handing.py`)
       ▾        ▾
       paused ──▸ queued    pause, resume
       cancelled            from all three

Each verb makes `fencing_token` another number, so that whoever had the job can write nothing more about it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.jobs.repository import enter, find
from app.jobs.sweeps import follow, parts_of
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

FROM = {"cancel": ("queued", "running", "paused"), "pause": ("queued", "running"), "resume": ("paused",)}
TO = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}


def actions(session: Session, job: StoredJob) -> list[str]:
    """The verbs that are legal now: for a sweep, those that are so for one of its parts."""
    statuses = {part.status for part in parts_of(session, job)} if job.parts else {job.status}
    return [verb for verb, legal in FROM.items() if statuses & set(legal)]


def act(session: Session, identity: str, verb: str) -> StoredJob:
    """Do it; a verb that took effect already may be repeated.

    Raises:
        Refusal: `not-found`, and `job-state` where the verb is not legal now.
    """
    sweep = find(session, identity).sweep
    # A sweep is locked before its parts, by everyone, so that no two wait for each other.
    parent = find(session, sweep, lock=True) if sweep else None
    job = find(session, identity, lock=True)
    concerned = [part for part in _locked(session, job) if part.status in FROM[verb]]
    if not concerned:
        if _took_effect(job, verb):
            return job
        legal = actions(session, job)
        hint = f"Legal now: {', '.join(legal)}." if legal else "It has ended; POST /v1/jobs starts another one."
        detail = f"Job {job.id} is {job.status}; it cannot {verb}."
        raise Refusal.of("job-state", detail, expected=legal, got=verb, hint=hint)
    job.verb = verb
    for part in concerned:
        part.verb, part.executor, part.attempts = verb, None, 0
        part.fencing_token += 1
        enter(session, part, TO[verb])
    if job.parts:
        follow(session, job, cancelled=verb == "cancel")
    if parent:
        follow(session, parent)
    return job


def _took_effect(job: StoredJob, verb: str) -> bool:
    statuses = ("queued", "running") if verb == "resume" else (TO[verb],)
    return job.verb == verb and job.status in statuses


def _locked(session: Session, job: StoredJob) -> list[StoredJob]:
    """The jobs that a verb is about: the job, or the parts of a sweep."""
    return parts_of(session, job, lock=True) if job.parts else [job]
