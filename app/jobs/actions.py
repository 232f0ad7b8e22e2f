"""The actions of callers on a job: cancel, pause and resume.

    queued ──▸ running ──▸ succeeded, failed
       │  ◂──── │           a worker claims it, gives it back, ends it (`queue.py`)
       ▾        ▾
       paused ──▸ queued    pause, resume
       failed ──▸ queued    resume
       cancelled            from queued, running and paused

Every action increments `fencing_token`, so that a worker that held the job can no longer write to it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.http.caller import OPERATOR, Caller
from app.jobs import interim_states
from app.jobs.repository import enter, find
from app.jobs.sweeps import parts_of, update_sweep
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

FROM = {"cancel": ("queued", "running", "paused"), "pause": ("queued", "running"), "resume": ("paused", "failed")}
TO = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}


def actions(session: Session, job: StoredJob) -> list[str]:
    """Return the actions that are allowed now. For a sweep, these are the actions that one of its parts allows."""
    concerned = parts_of(session, job) if job.parts else [job]
    is_cancelled = _is_cancelled(session, job)
    return [action for action in FROM if any(_allows(part, action, is_cancelled) for part in concerned)]


def _is_cancelled(session: Session, job: StoredJob) -> bool:
    """Return whether the job is a cancelled sweep or a part of one, none of which is resumed."""
    sweep = find(session, job.sweep) if job.sweep else job
    return bool(sweep.parts) and sweep.status == "cancelled"


def _allows(job: StoredJob, action: str, is_cancelled: bool) -> bool:
    return job.status in FROM[action] and not (is_cancelled and action == "resume")


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
    is_cancelled = _is_cancelled(session, job)
    concerned = [part for part in _lock_concerned(session, job) if _allows(part, action, is_cancelled)]
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
        part.error, part.finished_at = None, None
        part.fencing_token += 1
        enter(session, part, TO[action])
        if action == "cancel":
            interim_states.drop(session, part)
    if job.parts:
        update_sweep(session, job, cancelled=action == "cancel", resumed=action == "resume")
    if parent:
        update_sweep(session, parent, resumed=action == "resume")
    return job


def _took_effect(job: StoredJob, action: str) -> bool:
    statuses = ("queued", "running") if action == "resume" else (TO[action],)
    return job.last_action == action and job.status in statuses


def _lock_concerned(session: Session, job: StoredJob) -> list[StoredJob]:
    """Return the jobs that an action concerns, locked: the job, or the parts of a sweep."""
    return parts_of(session, job, lock=True) if job.parts else [job]
