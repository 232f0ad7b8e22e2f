"""What a forward and a backward pass leave, as answers write it and as submissions bring it."""

from __future__ import annotations

from typing import Literal

from app.problem.schemas import Body, Convention, NamedTensors, Parameters
from app.wire.tensor import Tensor


class LossTerms(Body):
    """The loss, term by term."""

    data: float
    """The loss of the examples."""

    l2: float
    """½ λ Σ‖weight‖²."""


class Warning(Body):
    """Something that was not refused and deserves a look."""

    code: str
    """What it is about: ambiguous-convention, unread-layer, double-softmax, double-sigmoid, single-example,
    symmetric-units, dead-units, saturated-units, kink."""

    pointer: str
    """Where, as a JSON pointer."""

    detail: str
    """A sentence that says what and why."""

    got: list[int] | None = None
    """The units that it is about, or the index of the number, counted from 0."""

    hint: str | None = None
    """What to do about it."""


class Certificate(Body):
    """The derivative of the loss along one random direction of all parameters and inputs, found in two ways."""

    method: str
    """How the independent value was found: complex_step."""

    step: float
    """The length of the step."""

    directional_derivative: float
    """The independent value; no backward pass takes part in it."""

    from_gradients: float
    """The same rate as the sum of gradient times direction."""

    relative_error: float
    """Their difference, relative to the sum of |gradient times direction|."""


class Norms(Body):
    """Euclidean norms: the root of the sum of the squares of all numbers of a tensor."""

    parameters: dict[str, dict[str, float]]
    """‖parameter‖, by layer and name."""

    gradients: dict[str, dict[str, float]]
    """‖∂L/∂(parameter)‖, by layer and name."""

    total: float
    """The norm of all gradients together, which `gradient_clip_norm` is compared with."""

    per_example: Tensor | None = None
    """For every example the norm of all gradients of its own loss together. Left out where a layer couples the examples."""


class FeedbackAnswer(Body):
    """What feedback alignment did."""

    kind: Literal["random", "direct"]
    """As it was asked for."""

    weights: NamedTensors
    """B of every layer that passed the error on."""

    angles: dict[str, dict[str, float | None]]
    """Degrees between the direction in `gradients` and the gradient, by layer and name; null where one of them is 0."""


class ForwardAnswer(Body):
    """What a forward pass leaves. Parts that were not asked for are left out."""

    loss: float | None = None
    """The loss of the batch."""

    loss_terms: LossTerms | None = None
    """The loss, term by term."""

    loss_formula: str | None = None
    """The loss in LaTeX."""

    per_example_losses: Tensor | None = None
    """The loss of each example, before weights and reduction."""

    output: Tensor | None = None
    """The activations of the last layer."""

    preactivations: NamedTensors | None = None
    """Every layer's result before its activation function."""

    activations: NamedTensors | None = None
    """Every layer's result after its activation function."""

    parameters: Parameters | None = None
    """All parameters, where some were drawn from the seed."""

    state: Parameters | None = None
    """What layers keep for the next batch, by layer and name, where there is any."""

    reported: Parameters | None = None
    """What else layers show of this run, by layer and name: the mask of a dropout."""

    convention: Convention
    """How matrices are written in this answer."""

    dtype: str
    """Precision of the computation."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""


class GradientsAnswer(ForwardAnswer):
    """What a forward and a backward pass leave. Parts that were not asked for are left out."""

    deltas: NamedTensors | None = None
    """∂L/∂Z of every layer: the gradient at its result before the activation function."""

    gradients: Parameters | None = None
    """∂L/∂(parameter), in exactly the shape of `parameters`: a bias that was sent as (1, h) has a gradient of (1, h)."""

    input_gradient: Tensor | NamedTensors | None = None
    """∂L/∂(inputs), in the shape of `batch.inputs`."""

    per_example_gradients: Parameters | None = None
    """∂ℓ/∂(parameter) of every example's own loss ℓ, before weights and reduction: the examples are the first axis, then
    the shape of the parameter."""

    norms: Norms | None = None
    """Sizes of parameters and gradients."""

    feedback: FeedbackAnswer | None = None
    """Under feedback alignment: its matrices, and how far its directions are from the gradient."""

    certificate: Certificate | None = None
    """The certificate that `verify` asks for."""
