"""The body and answer of POST /v1/step."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.results import LossTerms, Warning
from app.problem.schemas import Body, OptimizerSpec, Parameters, ProblemOfGradients, Strict
from app.wire.tensor import Tensor
from core.convention import Convention


class OptimizerState(Body):
    """The state that an optimizer carries from step to step."""

    step: Annotated[int, Field(strict=True, ge=0, lt=2**53)] = 0
    """Number of completed steps."""

    slots: dict[str, Parameters] = Field(default_factory=dict)
    """Tensors in the shapes of `parameters`, by their role: velocity, first_moment, second_moment."""

    scalars: dict[str, float] = Field(default_factory=dict)
    """Scalars of the state by name."""


class StepRequest(ProblemOfGradients):
    """A problem, as it is sent to /v1/gradients, and the optimizer that updates its parameters."""

    optimizer: OptimizerSpec
    """The optimizer."""

    optimizer_state: OptimizerState | None = None
    """The optimizer state of the previous answer. Default: the state before the first step."""

    steps: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    """Number of steps to take."""

    batch_size: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Number of examples per step. Default: the whole batch."""

    shuffle: Annotated[bool, Strict] = True
    """Whether the examples are put into a new random order in every epoch. Only relevant with a `batch_size`."""

    shuffle_seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
    """Seed that, together with the number of the epoch, determines the order of the examples."""


class StepAnswer(Body):
    """The updated parameters and the optimizer state, as the next request needs them."""

    parameters: Parameters
    """The parameters after the last step."""

    optimizer_state: OptimizerState
    """The optimizer state to send with the next request."""

    step: int
    """Number of completed steps, including those of earlier requests."""

    loss: float | None = None
    """The loss of the last step, before its update."""

    loss_terms: LossTerms | None = None
    """The terms whose sum is `loss`."""

    losses: Tensor | None = None
    """The loss of every step, before its update."""

    state: Parameters | None = None
    """State of the layers after the last step, by layer and name. Left out if no layer has any."""

    convention: Convention
    """Layout of the matrices in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""
