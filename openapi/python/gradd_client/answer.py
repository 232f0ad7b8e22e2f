"""Answers with their tensors as arrays. Parts that were not asked for are None, or empty where they go by name."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from gradd_api import models
from gradd_api.models import (
    Certificate,
    Convention,
    EncodedTensor,
    LossTerms,
    NamedTensors,
    Parameters,
    Warning_,
)
from gradd_api.types import Unset

from gradd_client.tensor import Array, decoded

A = TypeVar("A", bound="Answer | Probe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every answer says."""

    convention: Convention
    dtype: str
    warnings: list[Warning_]
    parameters: dict[str, dict[str, Array]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward(Answer):
    """What a forward pass leaves."""

    loss: float | None = None
    loss_terms: LossTerms | None = None
    loss_formula: str | None = None
    per_example_losses: Array | None = None
    output: Array | None = None
    preactivations: dict[str, Array] = field(default_factory=dict)
    activations: dict[str, Array] = field(default_factory=dict)
    state: dict[str, dict[str, Array]] = field(default_factory=dict)
    reported: dict[str, dict[str, Array]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Norms:
    """Euclidean norms, by layer and name, of all gradients together, and of every example's own gradients."""

    parameters: dict[str, dict[str, float]]
    gradients: dict[str, dict[str, float]]
    total: float
    per_example: Array | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The matrices of feedback alignment, and the angle in degrees between every direction and the gradient."""

    kind: str
    weights: dict[str, Array]
    angles: dict[str, dict[str, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradients(Forward):
    """What a forward and a backward pass leave."""

    deltas: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, dict[str, Array]] = field(default_factory=dict)
    input_gradient: Array | dict[str, Array] | None = None
    per_example_gradients: dict[str, dict[str, Array]] = field(default_factory=dict)
    norms: Norms | None = None
    feedback: Feedback | None = None
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jacobian(Answer):
    """A dense Jacobian."""

    jacobian: Array
    of_shape: list[int]
    wrt_shape: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """A vector in the space of parameters and inputs."""

    parameters: dict[str, dict[str, Array]] = field(default_factory=dict)
    inputs: Array | dict[str, Array] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Answer):
    """The product of a matrix that was never formed with a vector."""

    product: Array | Direction
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvertedLayer:
    """What came of one layer on the way down."""

    feasible: bool
    hidden_image: Array
    why: str | None = None
    residual: list[float] | None = None
    rank: int | None = None
    singular_values: Array | None = None
    null_space: Array | None = None
    repaired: list[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse(Answer):
    """Inputs, and whether the network maps them to the outputs that were asked for."""

    feasible: bool
    conclusive: bool
    feasible_examples: list[bool]
    inputs: Array
    output: Array
    error: float
    errors: list[float]
    layers: dict[str, InvertedLayer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A point at which known mistakes show; `batch` holds inputs and targets."""

    parameters: dict[str, dict[str, Array]]
    batch: dict[str, Any]
    state: dict[str, dict[str, Array]] = field(default_factory=dict)
    blind_spots: list[models.BlindSpot]
    summary: str
    convention: Convention


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerState:
    """What an optimizer remembers; it goes into the next step as it is."""

    step: int = 0
    slots: dict[str, dict[str, dict[str, Array]]] = field(default_factory=dict)
    scalars: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped(Answer):
    """The parameters after some steps, and all that the next ones need."""

    optimizer_state: OptimizerState
    step: int
    loss: float | None = None
    loss_terms: LossTerms | None = None
    losses: Array | None = None
    state: dict[str, dict[str, Array]] = field(default_factory=dict)


def read(kind: type[A], model: object) -> A:
    """The answer of this kind that a generated model holds."""
    return kind(**_members(kind, model))


def _members(kind: type, model: object) -> dict[str, Any]:
    members = {each.name: getattr(model, each.name) for each in fields(kind)}
    return {name: _plain(value) for name, value in members.items() if not isinstance(value, Unset)}


def _plain(value: Any) -> Any:
    """A member of an answer, with arrays for tensors."""
    match value:
        case EncodedTensor():
            return decoded(value)
        case NamedTensors() | Parameters():
            return {name: _plain(item) for name, item in value.additional_properties.items()}
        case models.OptimizerState():
            slots = {} if isinstance(value.slots, Unset) else value.slots.additional_properties
            scalars = {} if isinstance(value.scalars, Unset) else value.scalars.to_dict()
            return OptimizerState(
                step=value.step or 0, slots={name: _plain(slot) for name, slot in slots.items()}, scalars=scalars
            )
        case models.Norms():
            return Norms(**{**value.to_dict(), "per_example": _plain(value.per_example)})
        case models.FeedbackAnswer():
            return Feedback(**{**value.to_dict(), "weights": _plain(value.weights)})
        case Unset():
            return None
        case models.InvertAnswerLayers():
            return {
                name: InvertedLayer(**_members(InvertedLayer, each))
                for name, each in value.additional_properties.items()
            }
        case models.Batch():
            members = {name: getattr(value, name) for name in ("inputs", "targets", "upstream")}
            return {name: _plain(item) for name, item in members.items() if not isinstance(item, Unset)}
        case models.Direction():
            return Direction(**_members(Direction, value))
        case _:
            return value
