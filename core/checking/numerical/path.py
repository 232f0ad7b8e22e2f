"""Paths: the orders in which a program visits all numbers to difference the loss in each.

The order matters where a program does not put a number back: what it visits later is differenced at a moved point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.numerical.entry import Entry
from core.checking.quantity import Quantity
from core.convention import is_transposed
from core.problem import Problem


@dataclass(frozen=True, slots=True)
class Path:
    """One order of tensors, and of the numbers in each."""

    tensors: tuple[Quantity, ...]
    ranks: dict[Quantity, Array]
    """The position of every number within its tensor."""

    alone: bool = False
    """Whether each tensor starts at the given point again."""

    def before(self, entry: Entry) -> dict[Quantity, Array]:
        """Return 1 for the numbers that were visited before an entry, and 0 for the others."""
        ranks = self.ranks[entry.quantity]
        found = {entry.quantity: (ranks < ranks[entry.at]).astype(np.float64)}
        if not self.alone:
            for quantity in self.tensors[: self.tensors.index(entry.quantity)]:
                found[quantity] = np.ones(self.ranks[quantity].shape)
        return found


def paths(problem: Problem, submitted: Sequence[Quantity]) -> Iterator[Path]:
    """Yield the usual paths: by layer or by kind of parameter, forward or backward, by rows or by columns."""
    layers = [node.name for node in problem.nodes if node.parameters]
    names = list(dict.fromkeys(name for node in problem.nodes for name in node.parameters))

    def ordered(layers: Sequence[str], names: Sequence[str]) -> list[Quantity]:
        return [Quantity("gradients", layer, name) for layer in layers for name in names]

    turned = names[::-1]
    orders = [
        ordered(layers, names),
        ordered(layers[::-1], names),
        ordered(layers, turned),
        ordered(layers[::-1], turned),
        [Quantity("gradients", layer, name) for name in names for layer in layers],
    ]
    inputs = [quantity for quantity in submitted if quantity.part == "input_gradient"]
    visited = list(
        dict.fromkeys(tuple(quantity for quantity in [*order, *inputs] if quantity in submitted) for order in orders)
    )
    for by_columns in (False, True):
        ranks = {quantity: _ranks(problem, quantity, by_columns) for quantity in submitted}
        yield Path(visited[0], ranks, alone=True)
        for tensors in visited:
            yield Path(tensors, ranks)


def _ranks(problem: Problem, quantity: Quantity, by_columns: bool) -> Array:
    """Return the position of every number of a tensor, by rows or by columns of it as the request writes it."""
    if quantity.part == "gradients":
        parameter = next(node for node in problem.nodes if node.name == quantity.layer).parameters[quantity.name]
        shape, turned = parameter.shape, is_transposed(parameter, problem.convention)
    else:
        shape = problem.inputs[quantity.layer].shape
        turned = problem.convention == "column" and len(shape) == 2
    ranks = np.arange(int(np.prod(shape, dtype=int)))
    if len(shape) != 2 or turned == by_columns:
        return ranks.reshape(shape)
    return ranks.reshape(shape[::-1]).T
