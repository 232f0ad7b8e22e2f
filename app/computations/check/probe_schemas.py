"""The body and answer of POST /v1/probe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from app.computations.check.schemas import BlindSpot
from app.problem.schemas import Batch, Body, LossSpec, NetworkSpec, Parameters
from core.convention import Convention

Length = Annotated[int, Field(strict=True, ge=1, le=2**31)]
ExampleShape = TypeAliasType("ExampleShape", Annotated[list[Length], Field(max_length=8)])


class ProbeRequest(Body):
    """A network and loss for which to construct a test point."""

    network: NetworkSpec
    """The network to test."""

    features: ExampleShape | dict[str, ExampleShape]
    """Shape of one example: [2] for two features, [1, 28, 28] for an image. An object of shapes by name if the network
    has named inputs."""

    loss: LossSpec
    """The loss to test."""

    convention: Convention | None = None
    """Layout of the matrices. Default: row."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
    """Seed of the random numbers. Another seed gives another point."""

    encoding: Literal["json", "base64"] = "json"
    """Encoding of the tensors in the answer: nested lists (json) or base64."""


class ProbeAnswer(Body):
    """Parameters and a batch at which known mistakes change the numbers.

    Together with the network and the loss they are a problem for every other computation.
    """

    parameters: Parameters
    """Parameters by layer and name."""

    batch: Batch
    """Inputs and targets. The number of examples is a prime that differs from all widths of the network."""

    state: Parameters | None = None
    """Tensors that layers carry from batch to batch, by layer and name. Left out if no layer has any."""

    blind_spots: list[BlindSpot]
    """Known mistakes that do not change the numbers even at this point. In a network with relu, f'(a) = f'(z), so that
    mistakes which confuse the two are never visible."""

    summary: str
    """A sentence about how many mistakes the point reveals."""

    convention: Convention
    """Layout of the matrices in this answer."""
