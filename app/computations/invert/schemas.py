"""The body and answer of POST /v1/invert."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.problem.conditions import HAS_NETWORK, either, given, states
from app.problem.results import Warning
from app.problem.schemas import Body, LossSpec, NamedTensors, NetworkInUse, Parameters, Wishes
from app.wire.tensor import Tensor
from core.convention import Convention


class InvertBatch(Body):
    """A batch as the other computations take it. Only `targets` are read, as the desired outputs."""

    targets: Tensor | None = None
    """The desired outputs, in the shape of the network's output."""

    inputs: Tensor | NamedTensors | None = None
    """Ignored, except that their number of features is used if weights are drawn from a seed."""

    upstream: Tensor | None = None
    """Ignored."""

    sample_weight: Tensor | None = None
    """Ignored."""

    first_label: Annotated[int, Field(strict=True)] = 0
    """Ignored."""


class InvertRequest(NetworkInUse, Wishes):
    """A network with its parameters, and the desired outputs."""

    model_config = states(
        HAS_NETWORK, either(given("targets"), {"required": ["batch"], "properties": {"batch": given("targets")}})
    )

    targets: Tensor | None = None
    """The desired outputs, in the shape of the network's output. Default: `batch.targets`."""

    batch: InvertBatch | None = None
    """A batch as the other computations take it; its `targets` are the desired outputs."""

    reference: Tensor | None = None
    """Inputs that the inverse should be close to, in the shape of the answer's `inputs`. If a layer has several
    inverses, the one nearest to the layer's input under the reference is chosen. Default: the inverse of minimum norm.
    """

    null_space: bool = True
    """Whether the answer includes a basis of every layer's null space."""

    tolerance: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    """Relative residual below which a solution counts as exact. Default: √eps of the precision."""

    loss: LossSpec | None = None
    """Ignored: an inverse does not depend on a loss."""

    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation and of the answer."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None
    """Seed from which parameters that were not sent are drawn. The answer returns them as `parameters`."""

    encoding: Literal["json", "base64"] = "json"
    """Encoding of the tensors in the answer: nested lists (json) or base64."""


class InvertedLayer(Body):
    """The inversion of one layer."""

    feasible: bool
    """Whether the layer can produce the required result for every example."""

    why: str | None = None
    """The first example for which the layer cannot produce it, and the reason."""

    hidden_image: Tensor
    """The activations that the layer has to produce, for every example; for the last layer, the targets."""

    residual: list[float] | None = None
    """For a dense layer, the distance between the required preactivation and the nearest one that the layer can
    produce, for every example."""

    rank: int | None = None
    """Rank of the layer's weight in working precision."""

    singular_values: Tensor | None = None
    """Singular values of the layer's weight in descending order."""

    null_space: Tensor | None = None
    """Orthonormal vectors that the weight maps to 0, written as inputs of the layer. Any combination of them may be
    added to the layer's input. Left out if there are none."""

    repaired: list[int] | None = None
    """Examples whose hidden image was moved along the null space of this layer's weight into the range of the layer
    below."""


class InvertAnswer(Body):
    """The inverse, whether it is exact, and the inversion of every layer."""

    feasible: bool
    """Whether the network maps `inputs` to the desired outputs for every example."""

    conclusive: bool
    """If the result is not feasible: true if no inverse exists. false if a layer above the failing one had several
    inverses, so that another choice may succeed: try a `reference`."""

    feasible_examples: list[bool]
    """`feasible` for each example."""

    inputs: Tensor
    """The inverse. If there is none, inputs whose outputs are close to the desired ones, by least squares at every
    layer."""

    output: Tensor
    """The output of the network for `inputs`."""

    error: float
    """The largest difference between `output` and the desired outputs."""

    errors: list[float]
    """`error` for each example."""

    layers: dict[str, InvertedLayer]
    """The inversion of every layer, in execution order."""

    parameters: Parameters | None = None
    """All parameters. Returned if some of them were drawn from the seed."""

    convention: Convention
    """Layout of the matrices in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""
