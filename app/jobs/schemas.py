"""The answers of /v1/jobs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.problem.schemas import Body

Status = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Action = Literal["cancel", "pause", "resume"]


class Progress(Body):
    """The progress of a job."""

    epoch: int = 0
    """Number of completed epochs."""

    epochs: int = 0
    """Total number of epochs."""

    step: int = 0
    """Number of completed optimizer steps."""

    loss: float | None = None
    """Training loss of the last completed epoch, over all training examples."""

    validation_loss: float | None = None
    """Validation loss after the last completed epoch."""

    metrics: dict[str, float] = Field(default_factory=dict)
    """Metrics of the last completed epoch, for instance accuracy, mean_absolute_error or r_squared, depending on the
    loss."""

    eta_seconds: float | None = None
    """Estimated seconds until the job ends, extrapolated from the epochs so far."""

    parts: int | None = None
    """Number of parts (jobs) of a sweep."""

    parts_ended: int | None = None
    """Number of parts that have ended."""


class Queue(Body):
    """The job's place in the queue."""

    position: int | None = None
    """Position in the queue, counted from 1. Left out unless the job is queued."""


class JobResult(Body):
    """The result of a job that succeeded."""

    model: str | None = None
    """Id of the trained model."""

    epoch: int | None = None
    """Epoch after which the model was saved: the best epoch with early stopping, otherwise the last one."""

    reason: str | None = None
    """Why training ended: `epochs` if all epochs were trained, `early-stopping` if the loss stopped improving."""

    best: dict[str, Any] | None = None
    """The part of a sweep with the lowest validation loss, or training loss if there is no validation."""

    parts: list[dict[str, Any]] | None = None
    """The results of all parts of a sweep."""


class Job(Body):
    """A training job: its status, progress, result and allowed actions."""

    id: str
    """Id of the job."""

    name: str | None = None
    """Display name of the job. Names need not be unique."""

    status: Status
    """queued, running or paused; or, once the job has ended, succeeded, failed or cancelled."""

    progress: Progress
    """The progress of the job."""

    queue: Queue
    """The job's place in the queue."""

    model: str | None = None
    """Id of the model that training started from."""

    result: JobResult | None = None
    """The result, once the job has succeeded."""

    error: dict[str, Any] | None = None
    """The error, if the job has failed."""

    actions: list[Action]
    """Actions that are allowed in the present status: POST /v1/jobs/{id}/{action}."""

    sweep: str | None = None
    """Id of the sweep that this job is a part of."""

    variant: dict[str, Any] | None = None
    """The values of the sweep that this part was given."""

    environment: dict[str, Any] | None = None
    """Versions, processor and number of threads, which together with the request determine every bit of the result."""

    created_at: str
    """When the job was created, ISO 8601 in UTC."""

    started_at: str | None = None
    """When a worker first started the job, ISO 8601 in UTC."""

    finished_at: str | None = None
    """When the job ended, ISO 8601 in UTC."""


class JobList(Body):
    """One page of the jobs, newest first."""

    data: list[Job]
    """The jobs of this page."""

    has_more: bool
    """Whether there are jobs after this page."""

    next: str | None = None
    """Value of `after` that requests the next page. Left out on the last page."""


class JobEvent(Body):
    """An event in the history of a job."""

    id: int
    """Number of the event; the events of a job are numbered from 1 without gaps."""

    at: str
    """When the event happened, ISO 8601 in UTC."""

    type: Literal["status", "metrics", "checkpoint", "warning"]
    """Type of the event."""

    data: dict[str, Any]
    """metrics: loss and metrics of an epoch. status: the new status, with the result or error once the job has ended.
    checkpoint: the epoch and the id of its model. warning: a message; at the start
    with code, pointer, got and hint, as in the answer of /v1/gradients."""


class JobEventList(Body):
    """Events of a job, oldest first."""

    data: list[JobEvent]
    """The events."""

    has_more: bool
    """Whether later events exist already."""

    next: int | None = None
    """Value of `after` that requests the events that follow."""


class Checkpoint(Body):
    """A saved training state: the parameters and the optimizer state after an epoch."""

    epoch: int
    """Number of completed epochs."""

    model: str
    """Id of a model with the parameters after that epoch. It is deleted together with the checkpoint unless it is given
    a name."""

    loss: float | None = None
    """Training loss of that epoch."""

    validation_loss: float | None = None
    """Validation loss of that epoch."""

    best: bool
    """Whether this checkpoint has the lowest loss so far."""

    created_at: str
    """When the checkpoint was written, ISO 8601 in UTC."""


class CheckpointList(Body):
    """The stored checkpoints of a job, oldest first: the last two and the best one."""

    data: list[Checkpoint]
    """The checkpoints."""
