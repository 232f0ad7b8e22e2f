"""The problem object: network, parameters and batch, as forward, gradients and all later endpoints take it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.wire.tensor import Tensor
from core.layers import AnyLayer
from core.losses import AnyLoss
from core.optimizers import AnyOptimizer

LayerSpec = TypeAliasType("LayerSpec", Annotated[AnyLayer, Field(discriminator="kind")])
OptimizerSpec = TypeAliasType("OptimizerSpec", Annotated[AnyOptimizer, Field(discriminator="kind")])
LossSpec = TypeAliasType("LossSpec", Annotated[AnyLoss, Field(discriminator="kind")])
Parameters = TypeAliasType("Parameters", dict[str, dict[str, Tensor]])
NamedTensors = TypeAliasType("NamedTensors", dict[str, Tensor])
Convention = Literal["row", "column", "torch"]
Strict = Field(strict=True)
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
FORWARD_PARTS = ("loss", "output", "preactivations", "activations", "per_example_losses")
GRADIENTS_PARTS = (
    "loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient", "per_example_losses",
    "per_example_gradients", "norms",
)  # fmt: skip


class Body(BaseModel):
    """Base of all bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class NetworkSpec(Body):
    """A network: its layers in execution order."""

    layers: Annotated[list[LayerSpec], Field(min_length=1)]
    """The layers. One without a name is named by its position, counted from 1; it reads the layer before it unless it
    names its inputs."""


class Batch(Body):
    """Examples, and what their outputs are compared with."""

    inputs: Tensor | NamedTensors
    """One tensor, or an object of named tensors that layers read by name."""

    targets: Tensor | None = None
    """Numbers shaped like the output; or, for the cross-entropy losses, one class number for each example. A flat list is
    taken for one output or one example, and class numbers may be a column."""

    upstream: Tensor | None = None
    """∂L/∂(output), for the loss `upstream`."""

    sample_weight: Tensor | None = None
    """A weight for each example. Under `mean` their sum replaces n."""

    first_label: Annotated[int, Strict] = 0
    """The number of the first class: 1 for MATLAB and Octave labels."""


class Feedback(Body):
    """Feedback alignment: the error goes down through fixed matrices B instead of the transposed weights."""

    kind: Literal["random", "direct"]
    """random: dA = δ Bᵀ with B in the shape of the layer's weight. direct: dA = δ_L Bᵀ, the last layer's delta through a B
    of inputs x outputs of the network (transposed where weights are out x in)."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None
    """Draws the matrices that were not sent; they come back in the answer."""

    weights: NamedTensors | None = None
    """B by layer. With the weights themselves `random` is backpropagation."""


def _none_yet() -> NetworkSpec:
    """Stands for a network that was not sent until the model that was named supplies it (`app/models/resolve.py`)."""
    return NetworkSpec.model_construct(layers=[])


class NetworkInUse(Body):
    """A network with its parameters, or the name of a stored model that has them."""

    model: str | None = None
    """Id of a stored model: it supplies the network, the parameters and the state that are not sent; what is sent wins."""

    network: NetworkSpec = Field(default_factory=_none_yet, validate_default=True)
    """The network. Required unless `model` names one."""

    parameters: Parameters | None = None
    """Parameters by layer and name, for instance parameters["1"]["weight"]. A bias is a flat list; a row (1, h), a column
    (h, 1), a number for one unit, and a flat weight of one unit are taken too, and gradients have the shape that was sent."""

    state: Parameters | None = None
    """What layers keep between batches, by layer and name: running_mean and running_variance of batch_norm. The answer
    returns it as it is after this batch."""

    convention: Convention | None = None
    """How matrices are written. row (default): n x features, weights in x out. column: features x n, weights out x in.
    torch: n x features, weights out x in."""

    @field_validator("network", mode="before")
    @classmethod
    def _require_network_or_model(cls, value: object, others: ValidationInfo) -> object:
        if isinstance(value, NetworkSpec) and not value.layers and others.data.get("model") is None:
            raise PydanticCustomError("missing", "Field required")
        return value


class Wishes(Body):
    """Members of a problem that some computations read and the others pass over: one object serves all of them."""

    include: list[str] | None = None
    """Which parts /v1/forward and /v1/gradients answer with. Answers without parts do not depend on it."""

    layers: list[str] | None = None
    """Names of the layers that the per-layer maps of /v1/forward and /v1/gradients are narrowed to."""

    verify: Annotated[bool, Strict] = False
    """Whether /v1/gradients adds a certificate."""

    freeze: list[str] | None = None
    """Parameters that /v1/step leaves as they are: "1.bias"."""


class Problem(NetworkInUse, Wishes):
    """A network with its parameters, a batch and a loss."""

    batch: Batch
    """The batch."""

    loss: LossSpec | None = None
    """The loss whose gradients are asked for."""

    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation and of the answer."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None
    """Draws parameters that were not sent at random; they come back under `parameters`."""

    feedback: Feedback | None = None
    """How the error goes down. Default: through the transposed weights, which is backpropagation."""

    encoding: Literal["json", "base64"] = "json"
    """How tensors are written in the answer."""


def names(*valid: str) -> Any:
    """A list of names of parts of an answer; the schema lists the valid ones, the endpoint refuses others."""
    return Field(json_schema_extra={"items": {"type": "string", "enum": list(valid)}})


class ProblemOfGradients(Problem):
    """A problem whose gradients are asked for; `include` chooses the parts of /v1/gradients."""

    include: Annotated[list[str], names(*GRADIENTS_PARTS)] = Field(
        default=["loss", "output", "activations", "deltas", "gradients"]
    )
    """The parts of the answer."""
