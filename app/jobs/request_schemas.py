"""The body of POST /v1/jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from app.problem.conditions import HAS_NETWORK, either, every, given, states
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


class JobData(Body):
    """The training examples: tensors, or the id of a stored dataset."""

    inputs: Tensor | NamedTensors | None = None
    """One tensor, or an object of tensors by name that layers read by name. The first axis counts the examples."""

    targets: Tensor | None = None
    """Numbers in the shape of the network's output; for the cross-entropy losses also one class number per example."""

    sample_weight: Tensor | None = None
    """One weight per example. With reduction `mean` the weighted sum is divided by the sum of the weights instead of n.
    """

    first_label: Annotated[int, Strict] = 0
    """The number of the first class: 0, or 1 for MATLAB and Octave labels."""

    dataset: Id | None = None
    """Id of a stored dataset, used instead of `inputs` and `targets`."""


class EarlyStopping(Body):
    """Stops training when the monitored loss no longer improves.

    The monitored loss is the validation loss if examples are held out, otherwise the training loss. The result has the
    parameters of the best epoch.
    """

    patience: Count
    """Number of epochs without improvement after which training stops."""

    min_delta: Annotated[float, Field(strict=True, ge=0)] = 0.0
    """An epoch counts as an improvement only if its loss is lower than the best one by more than this amount."""


class FromCheckpoint(Body):
    """A checkpoint of another job, from which this job continues."""

    job: Id
    """Id of the job that wrote the checkpoint."""

    epoch: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Epoch of the checkpoint. Default: the job's last checkpoint."""


class Sweep(Body):
    """Values to try. Every combination of them is trained as a job of its own."""

    learning_rate: Annotated[list[Positive], Field(min_length=1, max_length=64)] | None = None
    """Learning rates of the optimizer."""

    seed: Annotated[list[Seed], Field(min_length=1, max_length=64)] | None = None
    """Seeds for the initial parameters and the order of the examples."""

    batch_size: Annotated[list[Count], Field(min_length=1, max_length=64)] | None = None
    """Numbers of examples per step."""

    units: dict[str, Annotated[list[Count], Field(min_length=1, max_length=64)]] | None = None
    """Numbers of units of dense layers, by the layer's name."""


FROM_THE_START = every(given("data", "loss", "optimizer", "epochs"), HAS_NETWORK)


class JobRequest(NetworkInUse, Wishes):
    """A training job: the network, its initial parameters, the loss, the training data and how to train."""

    model_config = states(either(given("from_checkpoint"), FROM_THE_START))

    data: JobData | None = None
    """The training examples. Required unless `from_checkpoint` is given."""

    loss: LossSpec | None = None
    """The loss to minimise. Required unless `from_checkpoint` is given."""

    optimizer: OptimizerSpec | None = None
    """The optimizer. Required unless `from_checkpoint` is given."""

    epochs: Count | None = None
    """Number of passes over all training examples. A job that continues from a checkpoint counts the earlier epochs
    too. Required unless `from_checkpoint` is given."""

    batch_size: Count | None = None
    """Number of examples per step. Default: 32."""

    shuffle: Annotated[bool, Strict] | None = None
    """Whether the examples are put into a new random order in every epoch. Default: true."""

    seed: Seed | None = None
    """Seed of the initial parameters that were not sent, of the order of the examples, and of the choice of validation
    examples. Parameters are drawn only if a seed is sent; the others use 0 if it is left out."""

    validation_fraction: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    """Share of the examples that is held out for validation and evaluated after every epoch. Default: 0."""

    early_stopping: EarlyStopping | None = None
    """Stops training before the last epoch when the loss no longer improves. Default: train all epochs."""

    checkpoint_every_epochs: Count | None = None
    """Number of epochs between checkpoints. Default: a checkpoint after every epoch, but at most one per second."""

    from_checkpoint: FromCheckpoint | None = None
    """Continues from a checkpoint of another job, with its parameters and its optimizer state. Fields that are left out
    are taken from that job; the network cannot be changed."""

    sweep: Sweep | None = None
    """Trains one job for each combination of the given values."""

    name: Name | None = None
    """Display name of the job. Names need not be unique."""

    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation."""

    feedback: Feedback | None = None
    """Feedback alignment: how the error is propagated backward. Default: through the transposed weights, which is
    backpropagation."""

    encoding: Literal["json", "base64"] = "json"
    """Has no effect, because the answer holds no tensors."""

    @field_validator("network", mode="before")
    @classmethod
    def _require_network_or_model(cls, value: object, others: ValidationInfo) -> object:
        """Accept a missing network, because a checkpoint can supply it; create_job refuses a request without any."""
        return value
