"""Candidates: what a policy removes, found without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from app.jobs.repository import ENDED
from app.retention.policy import Kind, Policy
from app.storage.tables.datasets import StoredDataset
from app.storage.tables.jobs import IdempotencyKey, StoredCheckpoint, StoredEvent, StoredJob
from app.storage.tables.models import StoredModel


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that is removed."""

    kind: Kind
    id: str
    """Its id; of checkpoints and events that of the job, of idempotency keys nothing."""

    number: int = 1
    """Number of rows: events of a job, or keys."""

    epoch: int = 0
    """The epoch of a checkpoint."""

    contents: tuple[str, ...] = ()
    """Digests of the contents to which a reference ends, one for each reference."""


def candidates(session: Session, policy: Policy, moment: datetime) -> list[Candidate]:
    """Return what a policy removes at a moment. Nothing that a job which has not ended needs is among it.

    Jobs come before what is removed with them: a checkpoint, an event or the model of a checkpoint is listed once.
    """
    found: list[Candidate] = []
    jobs: set[int] = set()
    models: set[str] = set()
    if (age := policy.get("jobs")) is not None:
        for job in session.scalars(_ended(moment - age).where(StoredJob.sweep.is_(None))):
            found.append(_job(session, job, jobs, models))
    if (age := policy.get("checkpoints")) is not None:
        joined = select(StoredCheckpoint, StoredJob.id).join(StoredJob, StoredJob.number == StoredCheckpoint.job)
        over = joined.where(StoredJob.status.in_(ENDED), StoredJob.finished_at < moment - age)
        for checkpoint, job_id in session.execute(over.order_by(StoredCheckpoint.job, StoredCheckpoint.epoch)):
            if checkpoint.job not in jobs:
                digests = tuple(_contents_of_checkpoint(session, checkpoint, models))
                found.append(Candidate("checkpoints", job_id, epoch=checkpoint.epoch, contents=digests))
    if (age := policy.get("events")) is not None:
        grouped = select(StoredJob.id, StoredJob.number, func.count()).join(
            StoredEvent, StoredEvent.job == StoredJob.number
        )
        over_events = grouped.where(StoredJob.status.in_(ENDED), StoredEvent.at < moment - age)
        for identity, number, count in session.execute(over_events.group_by(StoredJob.id, StoredJob.number)):
            if number not in jobs:
                found.append(Candidate("events", identity, number=count))
    if (age := policy.get("models")) is not None:
        own = StoredModel.checkpoint_of.is_(None), StoredModel.created_at < moment - age
        old_models = select(StoredModel.id, StoredModel.content).where(*own, ~_model_in_use())
        for identity, content in session.execute(old_models):
            found.append(Candidate("models", identity, contents=(content,)))
    if (age := policy.get("datasets")) is not None:
        in_use = select(StoredJob.number).where(StoredJob.data == StoredDataset.content, StoredJob.status.not_in(ENDED))
        old = select(StoredDataset.id, StoredDataset.content).where(StoredDataset.created_at < moment - age)
        for identity, content in session.execute(old.where(~in_use.exists())):
            found.append(Candidate("datasets", identity, contents=(content,)))
    if (age := policy.get("idempotency_keys")) is not None:
        keys = select(func.count()).select_from(IdempotencyKey).where(IdempotencyKey.created_at < moment - age)
        if many := session.scalar(keys):
            found.append(Candidate("idempotency_keys", "", number=many))
    return found


def _ended(before: datetime) -> Select[StoredJob]:
    over = StoredJob.status.in_(ENDED), StoredJob.finished_at < before
    return select(StoredJob).where(*over).order_by(StoredJob.number)


def _model_in_use() -> ColumnElement[bool]:
    """Return the condition that a job which has not ended starts from a model, or has a checkpoint with this model."""
    starts = select(StoredJob.number).where(StoredJob.model == StoredModel.id, StoredJob.status.not_in(ENDED))
    job = aliased(StoredJob)
    passed = select(StoredCheckpoint.job).join(job, job.number == StoredCheckpoint.job)
    passed = passed.where(StoredCheckpoint.model == StoredModel.id, job.status.not_in(ENDED))
    return starts.exists() | passed.exists()


def _job(session: Session, job: StoredJob, jobs: set[int], models: set[str]) -> Candidate:
    """Return the candidate of a job with its parts, and add what is removed with it to `jobs` and `models`."""
    parts: Sequence[StoredJob] = session.scalars(select(StoredJob).where(StoredJob.sweep == job.id)).all()
    contents: list[str] = []
    for each in (*parts, job):
        jobs.add(each.number)
        contents += filter(None, (each.content, each.data))
        for checkpoint in session.scalars(select(StoredCheckpoint).where(StoredCheckpoint.job == each.number)):
            contents += _contents_of_checkpoint(session, checkpoint, models)
    return Candidate("jobs", job.id, contents=tuple(contents))


def _contents_of_checkpoint(session: Session, checkpoint: StoredCheckpoint, models: set[str]) -> Iterator[str]:
    """Yield the content of a checkpoint, and that of its model if no other checkpoint and no caller keeps it."""
    yield checkpoint.content
    mine = StoredModel.id == checkpoint.model, StoredModel.checkpoint_of.is_not(None)
    model = session.scalars(select(StoredModel).where(*mine)).one_or_none()
    others = select(func.count()).select_from(StoredCheckpoint).where(StoredCheckpoint.model == checkpoint.model)
    if model is not None and model.id not in models and session.scalar(others) == 1:
        models.add(model.id)
        yield model.content
