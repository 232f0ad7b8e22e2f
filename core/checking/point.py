"""A point: a random batch and random parameters for a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import replace

import numpy as np

from core.arrays import Array, Shape
from core.convention import Convention, parameter_shape, tensor, tensor_shape
from core.derivatives.certificate import read_as_classes
from core.errors import Refusal, refuse_if_any
from core.layers import Layer
from core.layers.embedding import Embedding
from core.losses import Loss
from core.losses.hinge import Hinge
from core.network import NetworkLimits, Node
from core.problem_spec import ProblemSpec
from core.shape_inference import infer_shapes

PRIMES = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61)
"""Batch sizes: primes, so that the number of examples is not confused with another count."""

UNMISTAKABLE = 1009
"""A number of examples that is no other length, to tell the axis of the examples from the others."""

WIDE = 3.0
"""Factor of the last weights for a hinge, so that some outputs lie beyond its margin at 1."""


def batch_sizes(layers: Sequence[Layer], features: Mapping[str, Shape], convention: Convention) -> list[int]:
    """Return numbers of examples that are no other length of the network."""
    lengths = _lengths(layers, features, convention)
    return [prime for prime in PRIMES if prime not in lengths]


def _lengths(layers: Sequence[Layer], features: Mapping[str, Shape], convention: Convention) -> set[int]:
    """Return all lengths that a number of examples could be confused with: of axes and groups of axes, and in fields."""
    shapes = {name: (UNMISTAKABLE, *shape) for name, shape in features.items()}
    nodes = infer_shapes(layers, shapes, {}, convention, seeded=True, limits=None).nodes
    tensors = [*features.values(), *(node.shape[1:] for node in nodes)]
    tensors += [parameter.shape for node in nodes for parameter in node.parameters.values()]
    found = {length for shape in tensors for length in shape}
    found |= {math.prod(shape[start:]) for shape in tensors for start in range(len(shape))}
    for layer in layers:
        fields = (getattr(layer, field.name) for field in dataclass_fields(layer))
        found |= {value for value in fields if isinstance(value, int)}
    return found


def draw_point(
    layers: Sequence[Layer],
    shapes: Mapping[str, Shape],
    loss: Loss,
    convention: Convention,
    generator: np.random.Generator,
    limits: NetworkLimits | None,
) -> ProblemSpec:
    """Return a random point: no number is 0, no weight is symmetric, class numbers occur more than once.

    Args:
        layers: the network.
        shapes: shape of each input of the batch, batch-first.
        loss: the loss.
        convention: the convention of the matrices.
        generator: of the random numbers.
        limits: the largest network that is accepted.

    Raises:
        Refusal: if the layers do not fit together.
    """
    size = sum(math.prod(shape) for shape in shapes.values())
    if limits and size > limits.activations:
        detail = (
            f"A batch of {max(shape[0] for shape in shapes.values())} such examples has {size:,} numbers; this server "
            f"accepts {limits.activations:,}."
        )
        raise Refusal.of("too-large", detail, "features", expected=limits.activations, got=size)
    found = infer_shapes(layers, shapes, {}, convention, seeded=True, limits=limits)
    refuse_if_any([issue for issue in found.issues if issue.path[:1] != ("state",)])  # The state is drawn below.
    blank = ProblemSpec(
        layers=layers,
        inputs={name: np.zeros(tensor_shape(shape, convention)) for name, shape in shapes.items()},
        convention=convention,
        seed=0,
        state={node.name: {name: np.ones(shape) for name, shape in node.state.items()} for node in found.nodes},
    )
    classes = min((layer.vocabulary_size for layer in layers if isinstance(layer, Embedding)), default=1)
    still = read_as_classes(found.nodes)
    like_output = loss.draw_targets(found.nodes[-1].shape, generator)
    written = tensor(like_output, convention)
    wide, last = isinstance(loss, Hinge), next((node for node in reversed(found.nodes) if node.parameters), None)
    return replace(
        blank,
        seed=None,
        loss=loss,
        inputs={
            name: tensor(
                _class_numbers(shape, classes, generator) if name in still else generator.standard_normal(shape),
                convention,
            )
            for name, shape in shapes.items()
        },
        parameters={
            node.name: _parameters(node, convention, generator, WIDE if wide and node is last else 1.0)
            for node in found.nodes
            if node.parameters
        },
        state={
            node.name: {name: generator.uniform(0.5, 2, shape) for name, shape in node.state.items()}
            for node in found.nodes
            if node.state
        },
        targets=written if loss.needs_targets else None,
        upstream=None if loss.needs_targets else written,
    )


def _parameters(node: Node, convention: Convention, generator: np.random.Generator, gain: float) -> dict[str, Array]:
    """Return weights that preserve the scale of the activations, and biases and gains that are neither 0 nor 1."""
    drawn = {}
    for name, parameter in node.parameters.items():
        shape = parameter_shape(parameter, convention)
        fan_in = parameter.fan_in or 1
        scale = 1 / math.sqrt(fan_in) if len(shape) > 1 else 0.5
        centre = 1.0 if parameter.initial == "ones" else 0.0
        drawn[name] = centre + gain * scale * generator.standard_normal(shape)
    return drawn


def _class_numbers(shape: Shape, classes: int, generator: np.random.Generator) -> Array:
    """Return class numbers of which some occur again in the same example, and some in other examples.

    A large vocabulary would hardly ever repeat one. Of as many words as an example has positions, about a third occurs
    twice in it.
    """
    words = generator.permutation(classes)[: max(2, math.prod(shape[1:]))]
    return np.asarray(generator.choice(words, size=shape), dtype=np.float64)
