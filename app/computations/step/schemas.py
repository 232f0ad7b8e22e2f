"""POST /v1/step: what it takes and gives."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.results import LossTerms, Warning
from app.problem.schemas import Body, Convention, OptimizerSpec, Parameters, ProblemOfGradients, Strict
from app.wire.tensor import Tensor


class OptimizerState(Body):
    """What an optimizer remembers from step to step."""

    step: Annotated[int, Field(strict=True, ge=0, lt=2**53)] = 0
    """Steps done."""

    slots: dict[str, Parameters] = Field(default_factory=dict)
    """Tensors in the shape of `parameters`, by what they are: velocity, first_moment, second_moment."""

    scalars: dict[str, float] = Field(default_factory=dict)
    """Numbers beside them."""


class StepRequest(ProblemOfGradients):
    """A problem, as it is sent to /v1/gradients, and an optimizer that moves its parameters."""

    optimizer: OptimizerSpec
    """The optimizer."""

    optimizer_state: OptimizerState | None = None
    """The state from the previous answer. Default: no step was done yet."""

    steps: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    """How many steps to do."""

    batch_size: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Examples in a step. Default: the whole batch."""

    shuffle: Annotated[bool, Strict] = True
    """Whether the examples of an epoch come in random order, where a step takes a part of them."""

    shuffle_seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
    """Decides that order, together with the number of the epoch."""


class StepAnswer(Body):
    """What a step leaves: everything that the next one needs."""

    parameters: Parameters
    """The parameters after the last step."""

    optimizer_state: OptimizerState
    """To be sent with the next request."""

    step: int
    """Steps done, those of earlier requests included."""

    loss: float | None = None
    """The loss of the last step's examples, before its move."""

    loss_terms: LossTerms | None = None
    """The same, term by term."""

    losses: Tensor | None = None
    """The loss of every step, before its move."""

    state: Parameters | None = None
    """What layers keep for the next batch, by layer and name, where there is any."""

    convention: Convention
    """How matrices are written in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""
