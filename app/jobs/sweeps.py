"""Sweeps: a job of several parts, each a job with other numbers, and what becomes of it as they end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.rows import ENDED, enter, find, tell
from app.storage.jobs import StoredJob
from app.storage.tables import now


def part_changed(session: Session, part: StoredJob) -> None:
    """Let the sweep of a job follow, if it is part of one. The sweep's row was locked before the part's: `lock_sweep`."""
    if part.sweep:
        follow(session, find(session, part.sweep, lock=True))


def lock_sweep(session: Session, sweep: str | None) -> None:
    """Lock the sweep of a job before the job itself."""
    if sweep:
        find(session, sweep, lock=True)


def follow(session: Session, sweep: StoredJob) -> None:
    """Bring a sweep's status, progress and summary in line with its parts."""
    session.flush()
    parts = list(session.scalars(select(StoredJob).where(StoredJob.sweep == sweep.id).order_by(StoredJob.number)))
    ended = [part for part in parts if part.status in ENDED]
    before, sweep.progress = sweep.progress.get("parts_ended", 0), {"parts": len(parts), "parts_ended": len(ended)}
    sweep.result = summary(parts)
    if len(ended) != before:
        tell(session, sweep, "metrics", {**sweep.progress, "best": (sweep.result or {}).get("best")})
    if sweep.status in ENDED:
        return
    if len(ended) == len(parts):
        succeeded = any(part.status == "succeeded" for part in parts)
        failed = any(part.status == "failed" for part in parts)
        enter(session, sweep, "succeeded" if succeeded else "failed" if failed else "cancelled")
        if not succeeded and failed:
            sweep.error = next(part.error for part in parts if part.status == "failed")
    elif sweep.status == "queued" and any(part.status == "running" for part in parts):
        sweep.started_at = sweep.started_at or now()
        enter(session, sweep, "running")


def summary(parts: list[StoredJob]) -> dict[str, Any] | None:
    """Every part with what it came to, and the best one: the lowest validation loss, or loss where there is none."""
    rows = []
    for part in parts:
        row = {"job": part.id, "variant": part.variant, "status": part.status, **(part.result or {})}
        rows.append(row | {key: part.progress[key] for key in ("loss", "validation_loss") if key in part.progress})
    done = [row for row in rows if row["status"] == "succeeded"]
    if not done:
        return {"parts": rows}
    best = min(done, key=lambda row: row.get("validation_loss", row.get("loss", float("inf"))))
    return {"model": best.get("model"), "best": best, "parts": rows}
