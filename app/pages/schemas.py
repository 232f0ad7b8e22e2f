"""The answers of GET /v1, GET /livez and GET /readyz."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Limits(BaseModel):
    """The limits of the server. Requests beyond them are refused."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    body_bytes: int
    """Maximum size of a request body in bytes, after decompression."""

    layers: int
    """Maximum number of layers of a network."""

    parameters: int
    """Maximum number of elements of all parameters together."""

    activations: int
    """Maximum number of elements of the results of all layers together."""

    answer_elements: int
    """Maximum number of tensor elements in an answer."""

    seconds: float
    """Maximum computing time of a request in seconds."""

    body_seconds: float
    """Maximum time in seconds that a client may take to send a body."""


class About(BaseModel):
    """The server's name, version, supported operators and limits."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """Name of the service: gradd."""

    version: str
    """Version of the server."""

    layers: list[str]
    """Supported kinds of layers."""

    activations: list[str]
    """Supported activation functions."""

    losses: list[str]
    """Supported kinds of losses."""

    optimizers: list[str]
    """Supported kinds of optimizers."""

    dtypes: list[str]
    """Supported precisions of computation."""

    conventions: list[str]
    """Supported conventions for the layout of matrices."""

    limits: Limits
    """The limits of the server."""

    extensions: list[str]
    """Optional features that are installed."""


class Alive(BaseModel):
    """The answer of a process that is alive."""

    status: str
    """Always `alive`."""


class Ready(BaseModel):
    """The answer of a server that is ready for requests."""

    status: str
    """Always `ready`."""

    checks: dict[str, str]
    """The parts that were checked, and the state of each."""
