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

    operations: float
    """Maximum number of operations of a request, estimated before it is computed."""

    memory_bytes: int
    """Maximum memory in bytes of a request, estimated before it is computed."""

    seconds: float
    """Maximum computing time of a request in seconds."""

    body_seconds: float
    """Maximum time in seconds that a client may take to send a body."""


class Costs(BaseModel):
    """The estimate of what a request costs, made before anything of its size is allocated."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    unit: str
    """The meaning of one operation."""

    operations_per_second: float
    """Operations of one core in a second, with which an estimate becomes a time."""

    layers: dict[str, str]
    """Operations of the forward pass of each kind of layer."""

    passes: str
    """Operations of the other passes, in terms of forward passes."""


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

    costs: Costs
    """How the operations of a request are counted."""

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
