"""The problem object: the network, parameters, batch and loss that the computations take."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.http.forms import FormedBody
from app.problem.conditions import HAS_LOSS, HAS_NETWORK, states
from app.wire.tensor import Tensor
from core.convention import Convention
from core.errors import Issue
from core.layers import AnyLayer
from core.losses import AnyLoss
from core.optimizers import AnyOptimizer

LayerSpec = TypeAliasType("LayerSpec", Annotated[AnyLayer, Field(discriminator="kind")])
OptimizerSpec = TypeAliasType("OptimizerSpec", Annotated[AnyOptimizer, Field(discriminator="kind")])
LossSpec = TypeAliasType("LossSpec", Annotated[AnyLoss, Field(discriminator="kind")])
Parameters = TypeAliasType("Parameters", dict[str, dict[str, Tensor]])
NamedTensors = TypeAliasType("NamedTensors", dict[str, Tensor])
Strict = Field(strict=True)
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
FORWARD_PARTS = ("loss", "output", "preactivations", "activations", "per_example_losses")
GRADIENTS_PARTS = (
    "loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient", "per_example_losses",
    "per_example_gradients", "norms",
)  # fmt: skip


class Body(BaseModel):
    """Base class of all bodies. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class NetworkSpec(Body):
    """A network: its layers in execution order."""

    layers: Annotated[list[LayerSpec], Field(min_length=1)]
    """The layers. A layer without a name is named by its position, counted from 1. It reads the result of the preceding
    layer unless it lists its inputs."""


class Batch(Body):
    """The examples and the targets that their outputs are compared with."""

    inputs: Tensor | NamedTensors
    """One tensor, or an object of tensors by name that layers read by name."""

    targets: Tensor | None = None
    """Numbers in the shape of the network's output; for the cross-entropy losses also one class number per example. A flat
    list is accepted for one output or one example, and class numbers as a column."""

    upstream: Tensor | None = None
    """∂L/∂(output), required by the loss `upstream`."""

    sample_weight: Tensor | None = None
    """One weight per example. With reduction `mean` the weighted sum is divided by the sum of the weights instead of n.
    """

    first_label: Annotated[int, Strict] = 0
    """The number of the first class: 0, or 1 for MATLAB and Octave labels."""


class Feedback(Body):
    """Feedback alignment: the error is propagated backward through fixed matrices B instead of the transposed weights."""

    kind: Literal["random", "direct"]
    """random: dA = δ Bᵀ, where B has the shape of the layer's weight. direct: dA = δ_L Bᵀ, where δ_L is the delta of
    the last layer and B has the shape layer inputs x network outputs (transposed in conventions with weights out x in).
    """

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None
    """Seed from which the matrices that were not sent are drawn. The answer returns them."""

    weights: NamedTensors | None = None
    """The matrices B by layer. With B equal to the weights, `random` is backpropagation."""


def _none_yet() -> NetworkSpec:
    """Return a placeholder for a network that was not sent; the stored model named by `model` replaces it."""
    return NetworkSpec.model_construct(layers=[])


class NetworkInUse(FormedBody, Body):
    """A network with its parameters, or the id of a stored model that supplies them."""

    model_config = states(HAS_NETWORK)

    model: str | None = None
    """Id of a stored model. It supplies the network, parameters and state that are not sent."""

    network: NetworkSpec = Field(default_factory=_none_yet, validate_default=True)
    """The network. Required unless `model` is given."""

    parameters: Parameters | None = None
    """Parameters by layer and name, for instance parameters["1"]["weight"]. A bias is a flat list; a row (1, h), a column
    (h, 1), a number for one unit, and a flat weight of one unit are taken too, and gradients have the shape that was sent."""

    state: Parameters | None = None
    """Tensors that layers carry from batch to batch, by layer and name: running_mean and running_variance of
    batch_norm. The answer returns their values after this batch."""

    convention: Convention | None = None
    """Layout of the matrices. row (default): n x features, weights in x out. column: features x n, weights out x in.
    torch: n x features, weights out x in."""

    @field_validator("network", mode="before")
    @classmethod
    def _require_network_or_model(cls, value: object, others: ValidationInfo) -> object:
        if isinstance(value, NetworkSpec) and not value.layers and others.data.get("model") is None:
            raise PydanticCustomError("missing", "Field required")
        return value

    @cached_property
    def warnings_of_model(self) -> Sequence[Issue]:
        """What was assumed when the stored model came in, as `warn_of_model` has said. It does not follow from the form."""
        return ()

    def warn_of_model(self, warnings: Sequence[Issue]) -> None:
        """Let the answer to this body repeat the warnings of the model that it names."""
        self.__dict__["warnings_of_model"] = warnings


class Wishes(Body):
    """Options that some computations read and the others ignore, so that one problem object can be sent to all of them."""

    include: list[str] | None = None
    """Parts of the answer of /v1/forward and /v1/gradients. The other computations ignore it."""

    layers: list[str] | None = None
    """Names of the layers for which /v1/forward and /v1/gradients return tensors. Default: all layers."""

    verify: Annotated[bool, Strict] = False
    """Whether /v1/gradients adds a certificate, which checks the gradients independently of the backward pass."""

    freeze: list[str] | None = None
    """Parameters that /v1/step does not update, for instance "1.bias"."""


class Problem(NetworkInUse, Wishes):
    """A network with its parameters, a batch and a loss."""

    batch: Batch
    """The examples and their targets."""

    loss: LossSpec | None = None
    """The loss to differentiate."""

    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation and of the answer."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None
    """Seed from which parameters that were not sent are drawn. The answer returns them as `parameters`."""

    feedback: Feedback | None = None
    """Feedback alignment: how the error is propagated backward. Default: through the transposed weights, which is
    backpropagation."""

    encoding: Literal["json", "base64"] = "json"
    """Encoding of the tensors in the answer: nested lists (json) or base64."""


def names(*valid: str) -> Any:
    """Return a field for a list of names. The schema lists the valid ones; the endpoint refuses all others."""
    return Field(json_schema_extra={"items": {"type": "string", "enum": list(valid)}})


class ProblemOfGradients(Problem):
    """A problem whose gradients are computed. `include` selects the parts of the answer of /v1/gradients."""

    model_config = states(HAS_NETWORK, HAS_LOSS)

    include: Annotated[list[str], names(*GRADIENTS_PARTS)] = Field(
        default=["loss", "output", "activations", "deltas", "gradients"]
    )
    """The parts of the answer of /v1/gradients."""
