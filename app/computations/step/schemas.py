"""The body of POST /v1/step."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.schemas import OptimizerSpec, ProblemOfGradients, Strict
from app.problem.update import OptimizerState


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
