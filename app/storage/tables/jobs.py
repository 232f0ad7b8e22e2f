"""The tables of jobs, their events and checkpoints, of workers, and of idempotency keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.base import Table, now
from app.storage.numbered import Numbered
from app.storage.ownership import OWNER_LENGTH

NULLABLE_JSON = JSON(none_as_null=True)


class StoredJob(Numbered):
    """A training job. The rows also form the queue: a worker claims a job by updating its row.

    Every transaction that writes about a job locks its row first. `fencing_token` counts how often the job was assigned or
    taken back. A worker that lost its job, for instance because it was suspended, finds another number and can write
    nothing.
    """

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(28), unique=True)
    owner: Mapped[str | None] = mapped_column(String(OWNER_LENGTH), index=True)
    """The owner of the job; None if it was created without a key."""

    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The request without its tensors, completed with the contents of the model that it names."""

    content: Mapped[str | None] = mapped_column(ForeignKey("contents.digest"), index=True)
    """Digest of the tensors of the request."""

    data: Mapped[str | None] = mapped_column(ForeignKey("contents.digest"), index=True)
    """Digest of the tensors of the dataset. They are kept even if the dataset is deleted."""

    model: Mapped[str | None] = mapped_column(String(28))
    """Id of the model that training starts from. The model may have been deleted."""

    name: Mapped[str | None] = mapped_column(String(200))
    sweep: Mapped[str | None] = mapped_column(String(28), index=True)
    """Id of the sweep that the job is a part of."""

    variant: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    """The values of the sweep that this part was given."""

    parts: Mapped[int]
    """Number of parts of a sweep, otherwise 0. A sweep is not trained itself."""

    lane: Mapped[str] = mapped_column(String(28), default="long")
    """Jobs of an owner that take turns with its others: short, long, or the id of the sweep (`app/jobs/turns.py`)."""

    queued_at: Mapped[datetime | None] = mapped_column(default=now)
    """Since when the job waits: its creation or, if later, the end of its last time slice."""

    status: Mapped[str] = mapped_column(String(10), index=True)
    last_action: Mapped[str | None] = mapped_column("verb", String(10))
    """The last action of a caller: cancel, pause or resume."""

    fencing_token: Mapped[int] = mapped_column("run")
    executor: Mapped[str | None] = mapped_column(String(32), index=True)
    """Id of the worker that holds the job."""

    attempts: Mapped[int]
    """Number of times the process of the job ended by itself since the last checkpoint."""

    events: Mapped[int]
    """Id of the last event."""

    reported: Mapped[int]
    """The last epoch for which a metrics event was written."""

    progress: Mapped[dict[str, Any]] = mapped_column(JSON)
    environment: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    """Processor, libraries and threads, which together with the request determine every bit of the result."""

    traceparent: Mapped[str | None] = mapped_column(String(64))
    """The place in the trace of the request that created the job, if it was traced."""

    error: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StoredEvent(Table):
    """An event in the history of a job."""

    __tablename__ = "job_events"

    job: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Number of the event; the events of a job are numbered from 1."""

    at: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(12))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class StoredCheckpoint(Table):
    """A saved training state: the parameters and the optimizer state after an epoch."""

    __tablename__ = "checkpoints"

    job: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """Digest of the tensors of the training state."""

    notes: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The scalars of the training state, and the report of the epoch."""

    model: Mapped[str] = mapped_column(String(28))
    """Id of the model with these parameters. The model may have been deleted."""

    created_at: Mapped[datetime]


class InterimState(Table):
    """The state of a job since its last checkpoint, also in the middle of an epoch."""

    __tablename__ = "interim_states"

    job: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int]
    """Number of finished epochs."""

    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """Digest of the tensors of the training state."""

    notes: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The scalars of the training state."""


class QueueTurn(Table):
    """When an owner, or one of its lanes, was last served."""

    __tablename__ = "queue_turns"

    owner: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Owner of jobs; empty for jobs without one."""

    lane: Mapped[str] = mapped_column(String(28), primary_key=True)
    """Lane of the owner; empty for all of them."""

    served: Mapped[int]
    """Number of the turn; the largest is the last one."""


class WorkerLease(Table):
    """The lease of a worker. A worker that does not renew it in time loses its jobs."""

    __tablename__ = "executors"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    """Host and process of the worker, for people."""

    lease_until: Mapped[datetime]


class IdempotencyKey(Table):
    """The key and the answer of a request that may be repeated safely."""

    __tablename__ = "idempotency_keys"

    owner: Mapped[str] = mapped_column(String(OWNER_LENGTH), primary_key=True, server_default="")
    """The owner whose request it was, empty for requests without an API key: others may use the same key."""

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 hash of the request."""

    answer: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    """The answer; None while the request is being processed."""

    created_at: Mapped[datetime]
