"""A probe: a batch and parameters for a network that reveal every known mistake."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields

import numpy as np

from core.arrays import Array, CheckDeadline, Shape
from core.checking.blind_spots import blind_spots
from core.checking.comparison import Comparator
from core.checking.formulas import RIGHT
from core.checking.kinks import kinks
from core.checking.precision import criterion_for
from core.checking.quantity import quantities, run, value_in
from core.checking.report import BlindSpot
from core.checking.trace import Network, Trace
from core.checking.words import Words
from core.convention import Convention, parameter_shape, tensor, tensor_shape
from core.derivatives.certificate import read_as_classes
from core.errors import Refusal, refuse_if_any
from core.layers import Layer
from core.layers.embedding import Embedding
from core.losses import Loss
from core.losses.hinge import Hinge
from core.network import NetworkLimits, Node
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.shape_inference import infer_shapes

DRAWS = 8
"""The number of points that are tried."""

PRIMES = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61)
"""Batch sizes: primes, so that the number of examples is not confused with another count."""

UNMISTAKABLE = 1009
"""A number of examples that is no other length, to tell the axis of the examples from the others."""

WIDE = 3.0
"""Factor of the last weights for a hinge, so that some outputs lie beyond its margin at 1."""

NEAR_KINK = 1e-3
"""The smallest distance of a number from a kink, so that finite differences are right there too."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A point as a request."""

    sent: ProblemSpec
    problem: Problem
    blind_spots: Sequence[BlindSpot]
    """The mistakes that it does not reveal; most of them no batch reveals in this network."""


def probe(
    layers: Sequence[Layer],
    features: Mapping[str, Shape],
    loss: Loss,
    convention: Convention,
    *,
    seed: int,
    limits: NetworkLimits | None,
    check_deadline: CheckDeadline,
) -> Probe:
    """Return the best of a few random points, the first of those that hide the fewest mistakes.

    Args:
        layers: the network.
        features: shape of one example of each input of the batch.
        loss: the loss.
        convention: the convention of the matrices.
        seed: the seed of the random numbers.
        limits: the largest network that is accepted.
        check_deadline: called now and then; ends the search by raising.

    Raises:
        Refusal: if the layers do not fit together.
    """
    lengths = _lengths(layers, features, convention)
    sizes = [prime for prime in PRIMES if prime not in lengths]
    best: Probe | None = None
    for draw in range(DRAWS):
        check_deadline()
        generator = np.random.Generator(np.random.PCG64([seed, draw]))
        sent = _draw(layers, features, loss, convention, sizes[draw // 4 % len(sizes)], generator, limits)
        problem = validate(sent, limits)
        with np.errstate(all="ignore"):
            found = Probe(sent, problem, _hidden(problem, check_deadline))
        if best is None or len(found.blind_spots) < len(best.blind_spots):
            best = found
        if not best.blind_spots:
            break
    if best is None:
        raise LookupError("at least one point is tried")
    return best


def _hidden(problem: Problem, check_deadline: CheckDeadline) -> list[BlindSpot]:
    plan = problem.plan(check_deadline=check_deadline)
    plan.forward()  # A layer may refuse the point, such as a matrix that is not symmetric; the rules of a check do not.
    plan.backward()
    network = Network(problem)
    trace = run(network, RIGHT)
    right = {quantity: value_in(trace, quantity, RIGHT) for quantity in quantities(network)}
    comparator = Comparator(network, criterion_for({"float64"}, {}, None, None), trace, right)
    near = [
        BlindSpot(cause="kink", layer=kink.layer, tensor="deltas", reason=f"the point lies next to {kink.why}")
        for kink in kinks(trace, NEAR_KINK)
    ]
    return near + _one_sided(trace) + blind_spots(comparator, trace, Words(network), check_deadline)


def _one_sided(trace: Trace) -> list[BlindSpot]:
    """Return a blind spot if all outputs lie on one side of the kink of the loss: the other branch is never taken."""
    objective, last = trace.network.objective, trace.network.last
    A = trace.activations[last]
    distance = objective.loss.distance_to_kink(A, objective.targets.reshape(A.shape))
    if distance is None or (np.any(distance > 0) and np.any(distance < 0)):
        return []
    reason = f"all outputs lie on one side of {objective.loss.kink}"
    return [BlindSpot(cause="kink", layer=last, tensor="deltas", reason=reason)]


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


def _draw(
    layers: Sequence[Layer],
    features: Mapping[str, Shape],
    loss: Loss,
    convention: Convention,
    examples: int,
    generator: np.random.Generator,
    limits: NetworkLimits | None,
) -> ProblemSpec:
    """Return a random point: no number is 0, no weight is symmetric, every class occurs."""
    shapes = {name: (examples, *shape) for name, shape in features.items()}
    size = sum(math.prod(shape) for shape in shapes.values())
    if limits and size > limits.activations:
        detail = (
            f"A batch of {examples} such examples has {size:,} numbers; this server accepts {limits.activations:,}."
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
                generator.integers(classes, size=shape).astype(np.float64)
                if name in still
                else generator.standard_normal(shape),
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
