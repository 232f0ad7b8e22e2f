"""The bodies and answers of /v1/models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.problem.results import Warning
from app.problem.schemas import Body, Name, NetworkSpec, Parameters
from core.convention import Convention

Text = Annotated[str, StringConstraints(max_length=5_000)]
Metadata = Annotated[dict[str, bool | int | float | Text], Field(max_length=100)]


class ModelRequest(Body):
    """A model to store."""

    network: NetworkSpec
    """The layers of the network."""

    parameters: Parameters | None = None
    """Parameters by layer and name. Parameters that are left out must be sent, or drawn from a seed, whenever the model
    is used."""

    state: Parameters | None = None
    """Tensors that layers carry from batch to batch, by layer and name: running_mean and running_variance of
    batch_norm."""

    name: Name | None = None
    """Display name. It is not part of the content that determines the id, and need not be unique."""

    metadata: Metadata | None = None
    """Further information as strings, numbers and booleans by name. It is not part of the content that determines the
    id."""

    convention: Convention | None = None
    """Layout of the matrices in the parameters. The same weights in another convention are the same model."""

    dtype: Literal["float64", "float32"] | None = None
    """Precision in which the parameters are stored. Default: the precision in which they are sent; nested lists are
    float64."""

    encoding: Literal["json", "base64"] = "json"
    """Encoding of the tensors in the answer: nested lists (json) or base64."""


class ModelChange(Body):
    """The fields of a model that can be changed. A field that is left out stays as it is; null removes it."""

    name: Name | None = None
    """Display name. Names need not be unique."""

    metadata: Metadata | None = None
    """Replaces all metadata."""


class TensorEntry(Body):
    """Path, type and shape of a stored tensor."""

    path: str
    """Path of the tensor in the model, for instance parameters.1.weight."""

    dtype: str
    """Type of the elements."""

    shape: list[int]
    """Shape of the stored tensor, always in the row convention: weights are in x out."""


class Model(Body):
    """A stored network with its parameters.

    The content of a model never changes, and its id is computed from the content.
    """

    id: str
    """`mdl_` and 24 hexadecimal digits of the content's SHA-256 hash."""

    name: str | None = None
    """Display name. Names need not be unique."""

    metadata: dict[str, Any]
    """The metadata that was sent with the model."""

    parent: str | None = None
    """Id of the model that training started from."""

    created_at: str
    """When the model was first stored, ISO 8601 in UTC."""

    network: NetworkSpec
    """The layers of the network. Fields that have their default value are left out."""

    tensors: list[TensorEntry]
    """Path, type and shape of every stored tensor."""

    parameter_count: int
    """Number of elements of all parameters."""

    dtype: str
    """float32 if every tensor is float32, otherwise float64."""

    parameters: Parameters | None = None
    """Parameters by layer and name, in the requested convention."""

    state: Parameters | None = None
    """Tensors that layers carry from batch to batch, by layer and name."""

    convention: Convention | None = None
    """Layout of the matrices in this answer."""

    warnings: list[Warning] | None = None
    """What had to be assumed when this content was last sent. Every answer that uses the model repeats it, at #/model.
    Sending the same content with everything named clears it."""


class ModelList(Body):
    """One page of the models, newest first, without their parameters."""

    data: list[Model]
    """The models of this page."""

    has_more: bool
    """Whether there are models after this page."""

    next: str | None = None
    """Value of `after` that requests the next page. Left out on the last page."""
