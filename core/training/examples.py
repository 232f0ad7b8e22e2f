"""Subsets of a problem's examples, each as a problem."""

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
"""Separates the random stream of the held-back examples, [seed, 0, SPLIT], from those of the epochs."""


def objective_of(problem: Problem) -> Objective:
    """Return the objective of a problem.

    Raises:
        LookupError: if the problem has none.
    """
    if problem.objective is None:
        raise LookupError("training needs a loss")
    return problem.objective


def nodes_for(problem: Problem, examples: int) -> list[Node]:
    """Return the nodes of the network for another number of examples.

    Raises:
        Refusal: if the layers do not take that number, because an input has another axis in front than that of the examples.
    """
    shapes = {name: (examples, *array.shape[1:]) for name, array in problem.inputs.items()}
    found = infer_shapes([node.layer for node in problem.nodes], shapes, {}, problem.convention, seeded=True)
    if len(found.nodes) < len(problem.nodes):
        hint = "The first axis of every input counts the examples; training reads some of them at a time."
        raise Refusal(
            replace(issue, detail=f"With {examples} of the examples: {issue.detail}", hint=hint)
            for issue in found.issues
        )
    return [replace(node, name=own.name) for node, own in zip(found.nodes, problem.nodes, strict=True)]


def shares_of(objective: Objective, chosen: Array) -> Array:
    """Return the shares of some examples; under "mean" they sum to 1, as those of all examples do."""
    shares = objective.coefficients[chosen]
    if objective.loss.reduction == "sum" or not objective.loss.needs_targets:
        return shares
    total = shares.sum()
    return np.asarray(shares / total if total else shares)


def part_of(problem: Problem, chosen: Array) -> Problem:
    """Return the problem with some of its examples."""
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
    """Return the examples to train on, and those that are held back: the last round(fraction · n).

    They are the last in an order drawn from the seed if the examples are shuffled, otherwise in the order of the request.

    Raises:
        Refusal: `invalid-request` if one of the two parts would have no example.
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
    # Sorted, so that without shuffling the epochs keep the order of the request.
    kept, back = np.sort(order[: count - held]), np.sort(order[count - held :])
    return part_of(problem, kept), part_of(problem, back)
