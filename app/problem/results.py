"""The results of a forward and a backward pass, as answers return them and submissions contain them."""

from __future__ import annotations

from typing import Literal

from app.problem.schemas import Body, NamedTensors, Parameters
from app.wire.tensor import Tensor
from core.convention import Convention


class LossTerms(Body):
    """The terms whose sum is the loss."""

    data: float
    """The loss of the examples."""

    l2: float
    """The L2 penalty ½ λ Σ‖weight‖²."""


class Warning(Body):
    """An observation that did not prevent the computation but deserves attention."""

    code: str
    """The kind of warning: ambiguous-convention, unread-layer, double-softmax, double-sigmoid, softmax-of-one,
    single-example, zero-gradients, symmetric-units, dead-units, saturated-units or kink; of an imported model also
    assumed-activation, assumed-batch, assumed-channels, assumed-evaluation, assumed-order,
    constant-imported-as-parameter, loss-left-out or not-compared."""

    pointer: str
    """Location in the request as a JSON pointer."""

    detail: str
    """A sentence that describes the observation and its cause."""

    got: list[int] | None = None
    """The units concerned, or the index of the number concerned, counted from 0."""

    hint: str | None = None
    """The suggested remedy."""


class Certificate(Body):
    """An independent check of the gradients.

    The derivative of the loss along one random direction of all parameters and inputs is computed in two ways.
    """

    method: str
    """Method of the independent computation: complex_step."""

    step: float
    """Length of the step along the direction."""

    directional_derivative: float
    """The derivative computed independently of the backward pass."""

    from_gradients: float
    """The derivative computed from the gradients: the sum of gradient times direction."""

    relative_error: float
    """The difference of the two, divided by the sum of |gradient times direction|. A difference that rounding explains is
    divided by the size of the intermediate products if that is larger, because gradients may be 0."""


class Norms(Body):
    """Euclidean norms: the square root of the sum of the squares of all elements."""

    parameters: dict[str, dict[str, float]]
    """‖parameter‖, by layer and name."""

    gradients: dict[str, dict[str, float]]
    """‖∂L/∂(parameter)‖, by layer and name."""

    total: float
    """The norm of all gradients together, which `gradient_clip_norm` limits."""

    per_example: Tensor | None = None
    """For each example, the norm of all gradients of its own loss together. Left out if a layer couples the examples.
    """


class FeedbackAnswer(Body):
    """The matrices of feedback alignment, and the angles between its directions and the gradients."""

    kind: Literal["random", "direct"]
    """The kind of feedback alignment that was requested."""

    weights: NamedTensors
    """The matrix B of every layer that propagated the error backward."""

    angles: dict[str, dict[str, float | None]]
    """Angle in degrees between the direction in `gradients` and the true gradient, by layer and name. null if one of
    them is 0."""


class ForwardAnswer(Body):
    """The results of a forward pass. Parts that were not requested are left out."""

    loss: float | None = None
    """The loss of the batch."""

    loss_terms: LossTerms | None = None
    """The terms whose sum is the loss."""

    loss_formula: str | None = None
    """The formula of the loss in LaTeX."""

    per_example_losses: Tensor | None = None
    """The loss of each example, before sample weights and reduction."""

    output: Tensor | None = None
    """The activations of the last layer."""

    preactivations: NamedTensors | None = None
    """The result of every layer before its activation function."""

    activations: NamedTensors | None = None
    """The result of every layer after its activation function."""

    parameters: Parameters | None = None
    """All parameters. Returned if some of them were drawn from the seed."""

    state: Parameters | None = None
    """State of the layers after this batch, by layer and name. Left out if no layer has any."""

    reported: Parameters | None = None
    """Other tensors of this pass, by layer and name: the mask of a dropout layer."""

    convention: Convention
    """Layout of the matrices in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""


class GradientsAnswer(ForwardAnswer):
    """The results of a forward and a backward pass. Parts that were not requested are left out."""

    deltas: NamedTensors | None = None
    """∂L/∂Z of every layer, where Z is the layer's result before its activation function."""

    gradients: Parameters | None = None
    """∂L/∂(parameter), in exactly the shape of `parameters`: a bias that was sent as (1, h) has a gradient of (1, h)."""

    input_gradient: Tensor | NamedTensors | None = None
    """∂L/∂(inputs), in the shape of `batch.inputs`."""

    per_example_gradients: Parameters | None = None
    """∂ℓ/∂(parameter), where ℓ is one example's loss before sample weights and reduction. The first axis counts the
    examples; the others have the shape of the parameter."""

    norms: Norms | None = None
    """Euclidean norms of parameters and gradients."""

    feedback: FeedbackAnswer | None = None
    """With feedback alignment: its matrices, and the angles between its directions and the gradients."""

    certificate: Certificate | None = None
    """The certificate, if `verify` was set."""
