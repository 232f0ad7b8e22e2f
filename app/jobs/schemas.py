"""/v1/jobs: what it takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from app.problem.schemas import (
    Body,
    Feedback,
    LossSpec,
    Name,
    NamedTensors,
    NetworkInUse,
    OptimizerSpec,
    Strict,
    Wishes,
)
from app.wire.tensor import Tensor

Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Positive = Annotated[float, Field(strict=True, gt=0)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Status = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Verb = Literal["cancel", "pause", "resume"]


class JobData(Body):
    """The examples: tensors, or the name of a stored dataset."""

    inputs: Tensor | NamedTensors | None = None
    """One tensor, or an object of named tensors that layers read by name."""

    targets: Tensor | None = None
    """Numbers shaped like the output; or, for the cross-entropy losses, one class number for each example."""

    sample_weight: Tensor | None = None
    """A weight for each example. Under `mean` their sum replaces n."""

    first_label: Annotated[int, Strict] = 0
    """The number of the first class."""

    dataset: Id | None = None
    """Id of a stored dataset, in the place of inputs and targets."""


class EarlyStopping(Body):
    """Ends training once the loss has not fallen for a while; the best epoch's parameters are the result."""

    patience: Count
    """Epochs without a new best after which training ends."""

    min_delta: Annotated[float, Field(strict=True, ge=0)] = 0.0
    """A loss is a new best where it is lower than the best one by more than this."""


class FromCheckpoint(Body):
    """Where another job stood."""

    job: Id
    """That job."""

    epoch: Annotated[int, Field(strict=True, ge=1)] | None = None
    """One of its checkpoints. Default: the last."""


class Sweep(Body):
    """Values to try: every combination becomes a job of its own."""

    learning_rate: Annotated[list[Positive], Field(min_length=1, max_length=64)] | None = None
    """Learning rates of the optimizer."""

    seed: Annotated[list[Seed], Field(min_length=1, max_length=64)] | None = None
    """Seeds, of parameters and of the order of examples."""

    batch_size: Annotated[list[Count], Field(min_length=1, max_length=64)] | None = None
    """Examples in a step."""

    units: dict[str, Annotated[list[Count], Field(min_length=1, max_length=64)]] | None = None
    """Sizes of dense layers, by the layer's name."""


class JobRequest(NetworkInUse, Wishes):
    """A network, its parameters and a loss, as every computation takes them; data; and how to train."""

    data: JobData | None = None
    """The examples. Required, unless the job goes on from a checkpoint."""

    loss: LossSpec | None = None
    """The loss. Required, unless the job goes on from a checkpoint."""

    optimizer: OptimizerSpec | None = None
    """The optimizer. Required, unless the job goes on from a checkpoint."""

    epochs: Count | None = None
    """Passes over all examples, counted from the very beginning. Required, unless the job goes on from a checkpoint."""

    batch_size: Count | None = None
    """Examples in a step. Default: 32."""

    shuffle: Annotated[bool, Strict] | None = None
    """Whether the examples of an epoch come in random order. Default: true."""

    seed: Seed | None = None
    """Draws the parameters that were not sent; and, 0 where it is left out, the order of the examples in every epoch and
    those that are held back."""

    validation_fraction: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    """Share of the examples that are held back and evaluated after every epoch. Default: 0."""

    early_stopping: EarlyStopping | None = None
    """Ends training before its last epoch."""

    checkpoint_every_epochs: Count | None = None
    """Default: as often as epochs end, but not more than once a second."""

    from_checkpoint: FromCheckpoint | None = None
    """Goes on where another job stood, with its parameters and what its optimizer remembered. What is not sent is as in
    that job; the network cannot be another one."""

    sweep: Sweep | None = None
    """Makes a job of parts, one for each combination of values."""

    name: Name | None = None
    """A name for people."""

    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation."""

    feedback: Feedback | None = None
    """How the error goes down. Default: through the transposed weights, which is backpropagation."""

    encoding: Literal["json", "base64"] = "json"
    """Has no effect: the answer holds no tensors."""

    @field_validator("network", mode="before")
    @classmethod
    def _require_network_or_model(cls, value: object, others: ValidationInfo) -> object:
        """A checkpoint supplies it, too: what is missing is found where the job is made."""
        return value


class Progress(Body):
    """How far a job is."""

    epoch: int = 0
    """Epochs done."""

    epochs: int = 0
    """Epochs to do."""

    step: int = 0
    """Steps done."""

    loss: float | None = None
    """Of the last epoch, over all training examples."""

    validation_loss: float | None = None
    """After the last epoch, over the examples that are held back."""

    metrics: dict[str, float] = Field(default_factory=dict)
    """Of the last epoch: accuracy, mean_absolute_error, r_squared and others, as the loss suggests."""

    eta_seconds: float | None = None
    """Seconds that are left, to judge by the epochs so far."""

    parts: int | None = None
    """Parts of a sweep."""

    parts_ended: int | None = None
    """How many of them have ended."""


class Queue(Body):
    """The queue."""

    position: int | None = None
    """Place in it, counted from 1; there is none unless the job is queued."""


class JobResult(Body):
    """What a job came to."""

    model: str | None = None
    """Id of the trained model."""

    epoch: int | None = None
    """Epoch of which it is."""

    reason: str | None = None
    """Why training ended: epochs or early-stopping."""

    best: dict[str, Any] | None = None
    """The best part of a sweep."""

    parts: list[dict[str, Any]] | None = None
    """All parts of a sweep."""


class Job(Body):
    """A job."""

    id: str
    """Its id."""

    name: str | None = None
    """A name for people."""

    status: Status
    """queued, running, paused; or, at its end, succeeded, failed, cancelled."""

    progress: Progress
    """How far it is."""

    queue: Queue
    """The queue."""

    model: str | None = None
    """The model that training started from."""

    result: JobResult | None = None
    """What it came to."""

    error: dict[str, Any] | None = None
    """Why it failed."""

    actions: list[Verb]
    """Verbs that are legal now."""

    sweep: str | None = None
    """The job of which this one is a part."""

    variant: dict[str, Any] | None = None
    """What sets this part of a sweep apart from the others."""

    environment: dict[str, Any] | None = None
    """What decides the bits of the result besides the request."""

    created_at: str
    """When it was made."""

    started_at: str | None = None
    """When it was first begun."""

    finished_at: str | None = None
    """When it ended."""


class JobList(Body):
    """A part of the list of jobs, the newest first."""

    data: list[Job]
    """The jobs."""

    has_more: bool
    """Whether there are more."""

    next: str | None = None
    """What to send as `after` for the next part."""


class JobEvent(Body):
    """Something that happened to a job."""

    id: int
    """Counts the events of the job from 1."""

    at: str
    """When."""

    type: Literal["status", "metrics", "checkpoint", "warning"]
    """What kind of thing."""

    data: dict[str, Any]
    """metrics: the epoch in numbers. status: the status, with the result or the error at the end. checkpoint: epoch and
    model. warning: what is worth knowing."""


class JobEventList(Body):
    """Events, ascending."""

    data: list[JobEvent]
    """The events."""

    has_more: bool
    """Whether there are more already."""

    next: int | None = None
    """What to send as `after` for those that come next."""


class Checkpoint(Body):
    """Where a run stood after an epoch."""

    epoch: int
    """Epochs done."""

    model: str
    """The network as it was then: a model like any other, which goes when the checkpoint goes, unless it is given a name."""

    loss: float | None = None
    """Of that epoch."""

    validation_loss: float | None = None
    """Of that epoch."""

    best: bool
    """Whether it is the best so far."""

    created_at: str
    """When."""


class CheckpointList(Body):
    """The checkpoints that are kept, ascending: the last two and the best."""

    data: list[Checkpoint]
    """The checkpoints."""
