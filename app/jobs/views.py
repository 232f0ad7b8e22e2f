"""Jobs, events and checkpoints as the API returns them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.jobs.actions import actions
from app.jobs.turns import position
from app.storage.tables.jobs import StoredCheckpoint, StoredEvent, StoredJob
from app.wire.timestamp import timestamp


def job_answer(session: Session, job: StoredJob) -> dict[str, Any]:
    """Return a job as the API shows it."""
    answer = {
        "id": job.id,
        "name": job.name,
        "status": job.status,
        "progress": job.progress,
        "queue": {"position": place} if (place := position(session, job)) else {},
        "model": job.model,
        "result": job.result,
        "error": job.error,
        "actions": actions(session, job),
        "sweep": job.sweep,
        "variant": job.variant,
        "environment": job.environment,
        "created_at": timestamp(job.created_at),
        "started_at": job.started_at and timestamp(job.started_at),
        "finished_at": job.finished_at and timestamp(job.finished_at),
    }
    return {name: value for name, value in answer.items() if value is not None}


def event_answer(event: StoredEvent) -> dict[str, Any]:
    """Return an event as the API shows it."""
    return {"id": event.id, "at": timestamp(event.at), "type": event.type, "data": event.data}


def checkpoint_answer(checkpoint: StoredCheckpoint, *, best: bool) -> dict[str, Any]:
    """Return a checkpoint as the API shows it."""
    report = checkpoint.notes.get("report", {})
    losses = {name: report[name] for name in ("loss", "validation_loss") if name in report}
    made = timestamp(checkpoint.created_at)
    return {"epoch": checkpoint.epoch, "model": checkpoint.model, **losses, "best": best, "created_at": made}
