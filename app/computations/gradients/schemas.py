"""The bodies of POST /v1/gradients and POST /v1/forward."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.problem.schemas import FORWARD_PARTS, Problem, ProblemOfGradients, names


class ForwardRequest(Problem):
    """A problem whose forward pass is computed. If the loss or the targets are left out, the answer has no loss."""

    include: Annotated[list[str], names(*FORWARD_PARTS)] = Field(default=["loss", "output", "activations"])
    """The parts of the answer."""


class GradientsRequest(ProblemOfGradients):
    """A problem whose forward and backward passes are computed."""
