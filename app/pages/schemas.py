"""GET /v1: what this server is and can."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Limits(BaseModel):
    """The largest requests that this server takes."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    body_bytes: int
    """Bytes of a body, after decompression."""

    layers: int
    """Layers of a network."""

    parameters: int
    """Numbers in all parameters."""

    activations: int
    """Numbers in the results of all layers together."""

    answer_elements: int
    """Numbers in an answer."""

    seconds: float
    """Time that one request may compute, in seconds."""

    body_seconds: float
    """Time that a client may take to send a body, in seconds."""


class About(BaseModel):
    """What this server is and can."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """gradd"""

    version: str
    """Version of the server."""

    layers: list[str]
    """Kinds of layers."""

    activations: list[str]
    """Activation functions."""

    losses: list[str]
    """Kinds of losses."""

    optimizers: list[str]
    """Kinds of optimizers."""

    dtypes: list[str]
    """Precisions of computation."""

    conventions: list[str]
    """Conventions for writing matrices."""

    limits: Limits
    """The largest requests that this server takes."""

    extensions: list[str]
    """Optional parts that are installed."""


class Alive(BaseModel):
    """The process answers."""

    status: str
    """alive"""


class Ready(BaseModel):
    """The server takes requests."""

    status: str
    """ready"""

    checks: dict[str, str]
    """What was looked at, and how it is."""
