"""POST /v1/probe: what it takes and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from app.computations.check.schemas import BlindSpot
from app.problem.schemas import Batch, Body, Convention, LossSpec, NetworkSpec, Parameters

Length = Annotated[int, Field(strict=True, ge=1, le=2**31)]
ExampleShape = TypeAliasType("ExampleShape", Annotated[list[Length], Field(max_length=8)])


class ProbeRequest(Body):
    """A network to find a good test for."""

    network: NetworkSpec
    """The network."""

    features: ExampleShape | dict[str, ExampleShape]
    """Shape of one example: [2] for two features, [1, 28, 28] for an image; by name, where the batch's inputs have names."""

    loss: LossSpec
    """The loss."""

    convention: Convention | None = None
    """How matrices are written. Default: row."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
    """Of the random numbers: another seed gives another point."""

    encoding: Literal["json", "base64"] = "json"
    """How tensors are written in the answer."""


class ProbeAnswer(Body):
    """A point at which known mistakes show. With network and loss it is a problem for every other endpoint."""

    parameters: Parameters
    """Parameters by layer and name."""

    batch: Batch
    """Inputs and targets. The number of examples is a prime that is none of the network's widths."""

    state: Parameters | None = None
    """What layers keep between batches, where they keep anything."""

    blind_spots: list[BlindSpot]
    """Known mistakes that do not show even here. Those of a relu network that mix f'(a) with f'(z) show nowhere."""

    summary: str
    """How good the point is, in a sentence."""

    convention: Convention
    """How matrices are written in this answer."""
