"""An update of the parameters, as /v1/step returns it and a submission to /v1/check contains it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.results import LossTerms, Warning
from app.problem.schemas import Body, Parameters
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
