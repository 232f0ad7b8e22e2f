"""The actions of callers on a job: cancel, pause and resume.

    queued ──▸ running ──▸ succeeded, failed
       │  ◂──── │           a worker claims it, gives it back, ends it (`queue.py`)
       ▾        ▾
       paused ──▸ queued    pause, resume
       cancelled            from all three

Every action increments `fencing_token`, so that a worker that held the job can no longer write to it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.http.caller import OPERATOR, Caller
from app.jobs.repository import enter, find
from app.jobs.sweeps import parts_of, update_sweep
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

FROM = {"cancel": ("queued", "running", "paused"), "pause": ("queued", "running"), "resume": ("paused",)}
TO = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}


def actions(session: Session, job: StoredJob) -> list[str]:
    """Return the actions that are allowed now. For a sweep, these are the actions that one of its parts allows."""
    statuses = {part.status for part in parts_of(session, job)} if job.parts else {job.status}
    return [action for action, legal in FROM.items() if statuses & set(legal)]


def act(session: Session, identity: str, action: str, caller: Caller = OPERATOR) -> StoredJob:
    """Apply an action to a job, or to all parts of a sweep. Repeating an action that took effect has no effect.

    Returns:
        The job after the action.

    Raises:
        Refusal: `not-found`, also if the caller may not see the job; `job-state` if the action is not allowed now.
    """
    sweep = find(session, identity, caller).sweep
    # Every transaction locks a sweep before its parts, so that no two transactions deadlock.
    parent = find(session, sweep, lock=True) if sweep else None
    job = find(session, identity, lock=True)
    concerned = [part for part in _lock_concerned(session, job) if part.status in FROM[action]]
    if not concerned:
        if _took_effect(job, action):
            return job
        legal = actions(session, job)
        hint = f"Allowed now: {', '.join(legal)}." if legal else "The job has ended. POST /v1/jobs starts another one."
        detail = f"Job {job.id} is {job.status}; the action {action} is not allowed."
        raise Refusal.of("job-state", detail, expected=legal, got=action, hint=hint)
    job.last_action = action
    for part in concerned:
        part.last_action, part.executor, part.attempts = action, None, 0
        part.fencing_token += 1
        enter(session, part, TO[action])
    if job.parts:
        update_sweep(session, job, cancelled=action == "cancel")
    if parent:
        update_sweep(session, parent)
    return job


def _took_effect(job: StoredJob, action: str) -> bool:
    statuses = ("queued", "running") if action == "resume" else (TO[action],)
    return job.last_action == action and job.status in statuses


def _lock_concerned(session: Session, job: StoredJob) -> list[StoredJob]:
    """Return the jobs that an action concerns, locked: the job, or the parts of a sweep."""
    return parts_of(session, job, lock=True) if job.parts else [job]
