"""/v1/models: what it takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.problem.results import Warning
from app.problem.schemas import Body, Convention, Name, NetworkSpec, Parameters

Text = Annotated[str, StringConstraints(max_length=5_000)]
Metadata = Annotated[dict[str, bool | int | float | Text], Field(max_length=100)]


class ModelRequest(Body):
    """A model to keep."""

    network: NetworkSpec
    """The network."""

    parameters: Parameters | None = None
    """Parameters by layer and name. What is left out has to come from elsewhere whenever the model is used."""

    state: Parameters | None = None
    """What layers keep between batches, by layer and name: running_mean and running_variance of batch_norm."""

    name: Name | None = None
    """A name for people. It is no part of the content, and several models may have the same."""

    metadata: Metadata | None = None
    """Whatever else is worth knowing: strings, numbers, true and false by name. No part of the content."""

    convention: Convention | None = None
    """How the parameters are written. The same weights in another convention are the same model."""

    dtype: Literal["float64", "float32"] | None = None
    """Precision in which parameters are kept. Default: as they came, so nested lists are float64."""

    encoding: Literal["json", "base64"] = "json"
    """How tensors are written in the answer."""


class ModelChange(Body):
    """What may be changed of a model; what is left out stays, null takes it away."""

    name: Name | None = None
    """A name for people."""

    metadata: Metadata | None = None
    """Replaces all metadata."""


class TensorEntry(Body):
    """One tensor that is kept."""

    path: str
    """Where it belongs: parameters.1.weight."""

    dtype: str
    """Type of its elements."""

    shape: list[int]
    """Its shape: weights in x out, everything else batch-first."""


class Model(Body):
    """A network with its parameters. Its content never changes; its id follows from it."""

    id: str
    """mdl_ and 24 hexadecimal digits of the SHA-256 of the content."""

    name: str | None = None
    """A name for people."""

    metadata: dict[str, Any]
    """Whatever else was worth knowing."""

    parent: str | None = None
    """The model from which training made this one."""

    created_at: str
    """When it was stored first, ISO 8601 in UTC."""

    network: NetworkSpec
    """The network; what is at its default is left out."""

    tensors: list[TensorEntry]
    """What is kept."""

    parameter_count: int
    """Numbers in all parameters."""

    dtype: str
    """float64, or float32 where every tensor is."""

    parameters: Parameters | None = None
    """Parameters by layer and name, in the convention that was asked for."""

    state: Parameters | None = None
    """What layers keep between batches."""

    convention: Convention | None = None
    """How the parameters of this answer are written."""

    warnings: list[Warning] | None = None
    """What was not refused and deserves a look."""


class ModelList(Body):
    """A part of all models, the newest first, without their parameters."""

    data: list[Model]
    """The models."""

    has_more: bool
    """Whether there are more."""

    next: str | None = None
    """What `after` has to be for the next part, where there is one."""
