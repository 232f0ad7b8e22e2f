"""A probe: a batch and parameters for a network that reveal every known mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import CheckDeadline, Shape
from core.checking.blind_spots import blind_spots
from core.checking.kinks import kinks
from core.checking.other_points import OtherPoints, comparator_of
from core.checking.point import batch_sizes, draw_point
from core.checking.report import BlindSpot
from core.checking.trace import Trace
from core.checking.words import Words
from core.convention import Convention
from core.layers import Layer
from core.losses import Loss
from core.network import NetworkLimits
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

DRAWS = 8
"""The number of points that are tried."""

NEAR_KINK = 1e-3
"""The smallest distance of a number from a kink, so that finite differences are right there too."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A point as a request."""

    sent: ProblemSpec
    problem: Problem
    blind_spots: Sequence[BlindSpot]
    """The mistakes that it does not reveal, although another point would."""


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
    sizes = batch_sizes(layers, features, convention)
    others: OtherPoints | None = None
    best: Probe | None = None
    for draw in range(DRAWS):
        check_deadline()
        generator = np.random.Generator(np.random.PCG64([seed, draw]))
        examples = sizes[draw // 4 % len(sizes)]
        shapes = {name: (examples, *shape) for name, shape in features.items()}
        sent = draw_point(layers, shapes, loss, convention, generator, limits)
        problem = validate(sent, limits)
        others = others or OtherPoints(problem)
        with np.errstate(all="ignore"):
            found = Probe(sent, problem, _hidden(problem, others, check_deadline))
        if best is None or len(found.blind_spots) < len(best.blind_spots):
            best = found
        if not best.blind_spots:
            break
    if best is None:
        raise LookupError("at least one point is tried")
    return best


def _hidden(problem: Problem, others: OtherPoints, check_deadline: CheckDeadline) -> list[BlindSpot]:
    plan = problem.plan(check_deadline=check_deadline)
    plan.forward()  # A layer may refuse the point, such as a matrix that is not symmetric; the rules of a check do not.
    plan.backward()
    comparator = comparator_of(problem)
    trace = comparator.truth
    near = [
        BlindSpot(cause="kink", layer=kink.layer, tensor="deltas", reason=f"the point lies next to {kink.why}")
        for kink in kinks(trace, NEAR_KINK)
    ]
    return near + _one_sided(trace) + blind_spots(comparator, trace, Words(trace.network), check_deadline, others)


def _one_sided(trace: Trace) -> list[BlindSpot]:
    """Return a blind spot if all outputs lie on one side of the kink of the loss: the other branch is never taken."""
    objective, last = trace.network.objective, trace.network.last
    A = trace.activations[last]
    distance = objective.loss.distance_to_kink(A, objective.targets.reshape(A.shape))
    if distance is None or (np.any(distance > 0) and np.any(distance < 0)):
        return []
    reason = f"all outputs lie on one side of {objective.loss.kink}"
    return [BlindSpot(cause="kink", layer=last, tensor="deltas", reason=reason)]
