"""Checkpoints of jobs. A checkpoint and the events about it are written in one transaction.

The contents are stored in the database, not in files: workers on several machines need no shared volume, and a
checkpoint is never incomplete. They are addressed by their SHA-256 hash, like models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.jobs import interim_states
from app.jobs.repository import tell
from app.models.repository import put_model
from app.storage import blobs
from app.storage.base import now
from app.storage.ownership import owned_by
from app.storage.tables.jobs import InterimState, StoredCheckpoint, StoredJob
from app.storage.tables.models import StoredModel
from core.errors import Refusal
from core.layers import Layer
from core.training import TrainingState, model_of

KEPT = 2
"""Number of latest checkpoints that are kept, besides the best one."""


def save(
    session: Session, job: StoredJob, layers: Sequence[Layer], state: TrainingState, report: dict[str, Any]
) -> StoredCheckpoint:
    """Store the training state of a locked job as a checkpoint, and delete checkpoints that are no longer needed.

    Returns:
        The new checkpoint, or the existing one of this epoch.
    """
    there = session.get(StoredCheckpoint, (job.number, state.epoch))
    if there is not None:
        return there
    tensors = state.tensors()
    digest = blobs.digest_of(tensors)
    blobs.put(session, digest, tensors)
    model = model_of(layers, state.parameters, state.state)
    name = f"{job.name or job.id}, epoch {state.epoch}"[:200]
    stored, _ = put_model(session, model, name=name, parent=job.model, checkpoint_of=job.id, owner=job.owner)
    checkpoint = StoredCheckpoint(
        job=job.number,
        epoch=state.epoch,
        content=digest,
        notes={**state.notes(), "report": report},
        model=stored.id,
        created_at=now(),
    )
    session.add(checkpoint)
    session.flush()
    job.attempts = 0
    interim_states.drop(session, job)
    tell(session, job, "checkpoint", {"epoch": state.epoch, "model": stored.id})
    _prune(session, job)
    return checkpoint


def list_checkpoints(session: Session, job: StoredJob) -> Sequence[StoredCheckpoint]:
    """Return the checkpoints of a job, oldest first."""
    mine = select(StoredCheckpoint).where(StoredCheckpoint.job == job.number).order_by(StoredCheckpoint.epoch)
    return session.scalars(mine).all()


def best_of(checkpoints: Sequence[StoredCheckpoint]) -> StoredCheckpoint | None:
    """Return the checkpoint with the lowest validation loss, or training loss if there is no validation."""

    def loss(checkpoint: StoredCheckpoint) -> float:
        report = checkpoint.notes.get("report", {})
        return float(report.get("validation_loss", report.get("loss", float("inf"))))

    return min(checkpoints, key=loss, default=None)


def copy_to(checkpoint: StoredCheckpoint, job: StoredJob) -> StoredCheckpoint:
    """Return a copy of a checkpoint as the first checkpoint of a job that continues from it.

    The best epoch is reset, because it was determined with the other job's data and loss.
    """
    notes = {name: value for name, value in checkpoint.notes.items() if name != "report"} | {"best": None}
    named = {"content": checkpoint.content, "model": checkpoint.model, "epoch": checkpoint.epoch}
    return StoredCheckpoint(job=job.number, notes=notes, created_at=now(), **named)


def state_of(session: Session, checkpoint: StoredCheckpoint) -> TrainingState:
    """Return the training state that a checkpoint holds."""
    return TrainingState.restore(blobs.get(session, checkpoint.content), checkpoint.notes)


def latest_state(session: Session, job: StoredJob) -> TrainingState | None:
    """Return the state from which a job goes on: its interim state or, if that is newer, the last checkpoint's."""
    every = list_checkpoints(session, job)
    interim = session.get(InterimState, job.number)
    if interim and not (every and every[-1].epoch > interim.epoch):
        return TrainingState.restore(blobs.get(session, interim.content), interim.notes)
    return state_of(session, every[-1]) if every else None


def find(session: Session, job: StoredJob, epoch: int | None) -> StoredCheckpoint:
    """Return a checkpoint of a job, by default the last one.

    Raises:
        Refusal: `unknown-name`, if the job has no such checkpoint.
    """
    every = list_checkpoints(session, job)
    chosen = [checkpoint for checkpoint in every if epoch in (None, checkpoint.epoch)]
    if not chosen:
        epochs = [checkpoint.epoch for checkpoint in every]
        detail = f"Job {job.id} has no checkpoint" + (f" of epoch {epoch}." if epoch else " yet.")
        raise Refusal.of("unknown-name", detail, "from_checkpoint", "epoch", expected=epochs, got=epoch)
    return chosen[-1]


def _prune(session: Session, job: StoredJob) -> None:
    every = list_checkpoints(session, job)
    best = best_of(every)
    for checkpoint in every[:-KEPT]:
        if checkpoint is best:
            continue
        remove(session, checkpoint)


def remove(session: Session, checkpoint: StoredCheckpoint, *, large_later: bool = False) -> None:
    """Delete a checkpoint.

    Its model is deleted too, unless it was made a model of its own or another checkpoint uses it. `large_later` is that of
    `blobs.drop_unused`.
    """
    session.delete(checkpoint)
    session.flush()
    owner = session.scalar(select(StoredJob.owner).where(StoredJob.number == checkpoint.job))
    mine = StoredModel.id == checkpoint.model, owned_by(StoredModel.owner, owner)
    model = session.scalars(select(StoredModel).where(*mine).with_for_update()).one_or_none()
    others = (
        select(StoredCheckpoint.job)
        .join(StoredJob, StoredJob.number == StoredCheckpoint.job)
        .where(StoredCheckpoint.model == checkpoint.model, owned_by(StoredJob.owner, owner))
        .exists()
    )
    gone = delete(StoredModel).where(*mine, StoredModel.checkpoint_of.is_not(None), ~others)
    if model and session.scalar(gone.returning(StoredModel.number)):
        blobs.drop_unused(session, model.content, large_later=large_later)
    blobs.drop_unused(session, checkpoint.content, large_later=large_later)
