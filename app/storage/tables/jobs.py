"""The tables of jobs: the jobs, their events and checkpoints, the workers, and the requests that may be repeated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.base import Table
from app.storage.numbered import Numbered

NULLABLE_JSON = JSON(none_as_null=True)


class StoredJob(Numbered):
    """A training run. The row is the queue, too: a worker takes a job by changing it, and there is no second truth.

    Whoever writes about a job locks its row first. `fencing_token` counts how often it was handed out or
    taken back, so that a worker that lost its job, frozen and thawed perhaps, finds another number and can write nothing.
    """

    __tablename__ = "jobs"

    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The request without its tensors, complete: what a model or a dataset gave is part of it."""

    content: Mapped[str | None] = mapped_column(ForeignKey("contents.digest"), index=True)
    """The tensors of the request."""

    data: Mapped[str | None] = mapped_column(ForeignKey("contents.digest"), index=True)
    """The tensors of the dataset, which stay where the dataset is deleted."""

    model: Mapped[str | None] = mapped_column(String(28))
    """The model that training starts from; it may be gone."""

    name: Mapped[str | None] = mapped_column(String(200))
    sweep: Mapped[str | None] = mapped_column(String(28), index=True)
    """The job of which this one is a part."""

    variant: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    """What sets this part apart from the others."""

    parts: Mapped[int]
    """How many parts the job has; it trains nothing itself where there are any."""

    status: Mapped[str] = mapped_column(String(10), index=True)
    verb: Mapped[str | None] = mapped_column(String(10))
    """What a caller last did with it: cancel, pause, resume."""

    fencing_token: Mapped[int] = mapped_column("run")
    executor: Mapped[str | None] = mapped_column(String(32), index=True)
    """The worker that has it."""

    attempts: Mapped[int]
    """How often a worker died with it since its last checkpoint."""

    events: Mapped[int]
    """The id of its last event."""

    reported: Mapped[int]
    """The last epoch that was reported."""

    progress: Mapped[dict[str, Any]] = mapped_column(JSON)
    environment: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    """What decides the bits of a result besides the request: processor, threads, libraries."""

    error: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StoredEvent(Table):
    """Something that happened to a job."""

    __tablename__ = "job_events"

    job: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Counts the events of the job from 1."""

    at: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(12))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class StoredCheckpoint(Table):
    """Where a run stood after an epoch."""

    __tablename__ = "checkpoints"

    job: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """The tensors of a training state."""

    notes: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Its numbers, and the report of the epoch."""

    model: Mapped[str] = mapped_column(String(28))
    """The network as it was then; it may have been deleted."""

    created_at: Mapped[datetime]


class WorkerLease(Table):
    """A worker at work. One that does not renew its lease in time has lost its jobs."""

    __tablename__ = "executors"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    """Host and process, for people."""

    lease_until: Mapped[datetime]


class IdempotencyKey(Table):
    """A request that its sender may repeat without harm."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the body."""

    answer: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    """What was answered; None while it is being worked on."""

    created_at: Mapped[datetime]
