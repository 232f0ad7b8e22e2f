"""Some of a problem's examples, as a problem of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.errors import Refusal
from core.network import Node
from core.plan import Objective
from core.problem import Problem
from core.shape_inference import infer_shapes

SPLIT = 1
"""Sets the stream that draws the held-back examples apart from those that order the epochs: [seed, 0, SPLIT]."""


def objective_of(problem: Problem) -> Objective:
    """The objective of a problem that has one.

    Raises:
        LookupError: where it has none.
    """
    if problem.objective is None:
        raise LookupError("training needs a loss")
    return problem.objective


def nodes_for(problem: Problem, examples: int) -> list[Node]:
    """The network, wired for another number of examples."""
    shapes = {name: (examples, *array.shape[1:]) for name, array in problem.inputs.items()}
    found = infer_shapes([node.layer for node in problem.nodes], shapes, {}, problem.convention, seeded=True)
    return [replace(node, name=own.name) for node, own in zip(found.nodes, problem.nodes, strict=True)]


def shares_of(objective: Objective, chosen: Array) -> Array:
    """Under "mean" the shares of some examples sum to 1, as those of all do."""
    shares = objective.coefficients[chosen]
    if objective.loss.reduction == "sum" or not objective.loss.needs_targets:
        return shares
    total = shares.sum()
    return np.asarray(shares / total if total else shares)


def part_of(problem: Problem, chosen: Array) -> Problem:
    """The problem with some of its examples."""
    objective = objective_of(problem)
    return replace(
        problem,
        nodes=nodes_for(problem, len(chosen)),
        inputs={name: array[chosen] for name, array in problem.inputs.items()},
        objective=Objective(objective.loss, objective.targets[chosen], shares_of(objective, chosen)),
    )


def for_evaluation(problem: Problem) -> Problem:
    """Return the problem with its layers at evaluation: no dropout, running statistics instead of the batch's."""
    nodes = [replace(node, layer=node.layer.at_evaluation()) for node in problem.nodes]
    return replace(problem, nodes=nodes)


def split(problem: Problem, fraction: float, *, shuffle: bool, seed: int) -> tuple[Problem, Problem | None]:
    """The examples to train on, and those that are held back: the last round(fraction · n).

    They are the last ones in an order drawn from the seed where the examples are shuffled, and as they came otherwise.

    Raises:
        Refusal: `invalid-request`, where one of the two parts would have no example.
    """
    if not fraction:
        return problem, None
    count = len(objective_of(problem).targets)
    held = round(fraction * count)
    if not 0 < held < count:
        detail = (
            f"Of {count} examples, {fraction:g} are {held}: there must be some to train on and some to validate on."
        )
        raise Refusal.of("invalid-request", detail, "validation_fraction", got=fraction)
    order: Sequence[int] | Array = np.arange(count)
    if shuffle:
        order = np.random.Generator(np.random.PCG64([seed, 0, SPLIT])).permutation(count)
    # Sorted, so that without shuffling the epochs go through them as they came.
    kept, back = np.sort(order[: count - held]), np.sort(order[count - held :])
    return part_of(problem, kept), part_of(problem, back)
