"""POST /v1/invert: what it takes and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.problem.results import Warning
from app.problem.schemas import Body, Convention, LossSpec, NamedTensors, NetworkInUse, Parameters, Wishes
from app.wire.tensor import Tensor


class InvertBatch(Body):
    """The outputs that are asked for, as a problem has them. The other members of a problem's batch are not read."""

    targets: Tensor | None = None
    """The outputs that are asked for, shaped like the network's output."""

    inputs: Tensor | NamedTensors | None = None
    """Not read, but for the number of features where the weights are drawn from a seed."""

    upstream: Tensor | None = None
    """Not read."""

    sample_weight: Tensor | None = None
    """Not read."""

    first_label: Annotated[int, Field(strict=True)] = 0
    """Not read."""


class InvertRequest(NetworkInUse, Wishes):
    """A network with its parameters, and the outputs that it should have."""

    targets: Tensor | None = None
    """The outputs that are asked for, shaped like the network's output; where it is left out, `batch.targets`."""

    batch: InvertBatch | None = None
    """A batch as the other endpoints take it; its `targets` are the outputs that are asked for."""

    reference: Tensor | None = None
    """Inputs to stay near to, shaped like the answer's `inputs`: where an inverse is one of many, every layer takes the
    nearest one to what it reads when the network is given the reference. Default: the shortest one."""

    null_space: bool = True
    """Whether the answer has the basis of every layer's null space."""

    tolerance: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    """The residual, as a share of what it is compared with, that counts as none. Default: √eps of the precision."""

    loss: LossSpec | None = None
    """Not read: an inverse has no loss."""

    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation and of the answer."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None
    """Draws parameters that were not sent at random; they come back under `parameters`."""

    encoding: Literal["json", "base64"] = "json"
    """How tensors are written in the answer."""


class InvertedLayer(Body):
    """What came of one layer."""

    feasible: bool
    """Whether the layer can have the result that is asked of it, for every example."""

    why: str | None = None
    """The first example for which it cannot, and why."""

    hidden_image: Tensor
    """The result that the layer has to have (its activations), for every example; for the last layer the targets."""

    residual: list[float] | None = None
    """Of a dense layer, for every example: the distance of the nearest preactivation that it reaches from the one asked
    for."""

    rank: int | None = None
    """Rank of its weight in working precision."""

    singular_values: Tensor | None = None
    """Singular values of its weight, descending."""

    null_space: Tensor | None = None
    """Orthonormal vectors that the weight maps to 0, written as inputs of the layer are: any of them may be added to what
    the layer reads. Missing where there are none."""

    repaired: list[int] | None = None
    """Examples for which what the layer reads was moved along its null space into the range of the layer below."""


class InvertAnswer(Body):
    """Inputs, whether they are an inverse, and what came of every layer on the way down."""

    feasible: bool
    """Whether the network maps `inputs` to the outputs that were asked for, every example of them."""

    conclusive: bool
    """Where it is not feasible: whether there is no inverse at all. Otherwise a layer above the one that failed left a
    choice, and another choice might do: try a `reference`."""

    feasible_examples: list[bool]
    """The same for every example."""

    inputs: Tensor
    """The inverse; where there is none, inputs whose outputs come near, by least squares at every layer."""

    output: Tensor
    """What the network makes of `inputs`."""

    error: float
    """The largest difference between `output` and what was asked for."""

    errors: list[float]
    """The same for every example."""

    layers: dict[str, InvertedLayer]
    """Every layer, in execution order."""

    parameters: Parameters | None = None
    """All parameters, where some were drawn from the seed."""

    convention: Convention
    """How matrices are written in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""
