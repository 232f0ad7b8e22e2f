"""POST /v1/gradients and POST /v1/forward: what they take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.schemas import FORWARD_PARTS, Problem, ProblemOfGradients, names


class ForwardRequest(Problem):
    """A problem to run forward. Without a loss or targets the answer has no loss."""

    include: Annotated[list[str], names(*FORWARD_PARTS)] = Field(default=["loss", "output", "activations"])
    """The parts of the answer."""


class GradientsRequest(ProblemOfGradients):
    """A problem to run forward and backward."""
