"""The part of a submission that is an update: parameters after one or several steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.results import Warning
from app.problem.schemas import OptimizerSpec, Parameters
from app.problem.update import OptimizerState, StepAnswer
from core.convention import Convention

Count = Annotated[int, Field(strict=True, ge=1, lt=2**53)]


class SubmittedUpdate(StepAnswer):
    """What your program has after a step.

    parameters, optimizer_state, gradients and step are read; other fields of the answer of /v1/step are accepted and
    ignored.
    """

    parameters: Parameters | None = None  # type: ignore[assignment]
    """The parameters after the step; any layers and names."""

    optimizer_state: OptimizerState | None = None  # type: ignore[assignment]
    """The state of the optimizer after the step; any of its slots."""

    gradients: Parameters | None = None
    """The gradients that your program used in this step. Default: those of the loss at your parameters before it."""

    step: Count | None = None  # type: ignore[assignment]
    """Number of steps completed. Default: one more than before."""

    convention: Convention | None = None  # type: ignore[assignment]
    """Ignored; the convention of the submission counts."""

    dtype: str | None = None  # type: ignore[assignment]
    """Precision in which the numbers were computed."""

    warnings: list[Warning] | None = None  # type: ignore[assignment]
    """Ignored."""


class StepSubmission(SubmittedUpdate):
    """Parameters after one step or several, which start at the parameters of the request and use its whole batch.

    The answer of /v1/step with its `optimizer` is valid: {"optimizer": {"kind": "adam"}, "parameters": {...}}. So are
    several steps: {"optimizer": {"kind": "adam"}, "steps": [{"parameters": {...}}, {"parameters": {...}}]}. Each step is
    judged from your own parameters before it. Some mistakes show only from the second step on.
    """

    optimizer: OptimizerSpec
    """The optimizer that your program should be, as in /v1/step."""

    optimizer_state_before: OptimizerState | None = None
    """The state of the optimizer before the first step. Default: the state of a start."""

    steps: Annotated[list[SubmittedUpdate], Field(min_length=1, max_length=1000)] | None = None
    """What your program has after each step, in order. In place of the fields of a single step."""
