"""Sweeps: jobs whose parts are jobs with different values. The status of a sweep follows that of its parts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.repository import ENDED, LeaseLost, enter, find, find_for_worker, tell
from app.storage.base import now
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal


def update_sweep_of(session: Session, part: StoredJob) -> None:
    """Update the sweep of a job, if the job is part of one. The sweep's row must have been locked before the job's."""
    if part.sweep:
        update_sweep(session, find(session, part.sweep, lock=True))


def lock_sweep_of(session: Session, identity: str) -> None:
    """Lock the sweep of a job, if the job is part of one, before the job itself is locked.

    Raises:
        LeaseLost: if the job or the sweep was deleted.
    """
    sweep = find_for_worker(session, identity).sweep
    if sweep:
        try:
            find(session, sweep, lock=True)
        except Refusal:
            raise LeaseLost(identity) from None


def parts_of(session: Session, sweep: StoredJob, *, lock: bool = False) -> list[StoredJob]:
    """Return the parts of a sweep in the order of their creation."""
    session.flush()
    mine = select(StoredJob).where(StoredJob.sweep == sweep.id).order_by(StoredJob.number)
    return list(session.scalars(mine.with_for_update() if lock else mine))


def update_sweep(session: Session, sweep: StoredJob, *, cancelled: bool = False, resumed: bool = False) -> None:
    """Update a sweep's progress, result and status from its parts.

    A sweep with succeeded parts can be cancelled, and one that has ended goes on if a failed part is resumed.
    """
    parts = parts_of(session, sweep)
    ended = [part for part in parts if part.status in ENDED]
    before, sweep.progress = sweep.progress.get("parts_ended", 0), {"parts": len(parts), "parts_ended": len(ended)}
    sweep.result = summary(parts)
    if len(ended) != before:
        tell(session, sweep, "metrics", {**sweep.progress, "best": (sweep.result or {}).get("best")})
    if sweep.started_at is None and any(part.started_at for part in parts):
        sweep.started_at = now()
    status = "cancelled" if cancelled else _status(sweep, parts)
    if status == sweep.status or (sweep.status in ENDED and not resumed):
        return
    if sweep.status in ENDED:
        sweep.error, sweep.finished_at = None, None
    if status == "failed":
        sweep.error = next(part.error for part in parts if part.status == "failed")
    outcome = {"result": sweep.result, "error": sweep.error} if status in ENDED else {}
    enter(session, sweep, status, **{name: value for name, value in outcome.items() if value is not None})


def _status(sweep: StoredJob, parts: list[StoredJob]) -> str:
    """Return the status that follows from the parts: ended once all have ended, paused if all others are paused."""
    statuses = {part.status for part in parts}
    going_on = statuses - set(ENDED)
    if not going_on:
        return next(status for status in ENDED if status in statuses)
    if going_on == {"paused"}:
        return "paused"
    return "running" if "running" in going_on or sweep.started_at else "queued"


def summary(parts: list[StoredJob]) -> dict[str, Any] | None:
    """Return the results of all parts and the best part: the one with the lowest validation loss, or training loss."""
    rows = []
    for part in parts:
        row = {"job": part.id, "variant": part.variant, "status": part.status, **(part.result or {})}
        rows.append(row | {key: part.progress[key] for key in ("loss", "validation_loss") if key in part.progress})
    done = [row for row in rows if row["status"] == "succeeded"]
    if not done:
        return {"parts": rows}
    best = min(done, key=lambda row: row.get("validation_loss", row.get("loss", float("inf"))))
    return {"model": best.get("model"), "best": best, "parts": rows}
