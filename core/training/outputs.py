"""Outputs: what the network gave for every example of an epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.arrays import Array, arrange
from core.problem import Problem
from core.training.examples import objective_of
from core.training.metrics import METRICS


class Outputs:
    """The outputs of all examples of an epoch, in its order, each from its own step."""

    def __init__(self, problem: Problem) -> None:
        objective = objective_of(problem)
        self._loss = objective.loss
        targets = objective.targets
        self._metrics = [metric for metric in METRICS if metric.applies(self._loss, targets)]
        self._known = [metric.known(self._loss, targets) for metric in self._metrics]
        # As small outputs are stored: with the examples innermost.
        self.all = arrange(np.empty(targets.size, problem.dtype), targets.shape)

    def keeper(self, output: Array) -> Callable[[int], object]:
        """Return the function that stores a step's outputs, given the place of its first example in the epoch's order."""
        if not self._metrics:
            return lambda start: None
        every = self.all
        rows = output if output.ndim == every.ndim else output.reshape(-1)
        count = len(rows)

        def keep(start: int) -> None:
            every[start : start + count] = rows

        return keep

    def first(self, count: int) -> Array:
        """Return a copy of the outputs of the first examples; of none if no metric needs them."""
        return self.all[: count if self._metrics else 0].copy()

    def restore(self, outputs: Array) -> None:
        """Set the outputs of the first examples."""
        self.all[: len(outputs)] = outputs

    def measure(self, order: Array) -> dict[str, float]:
        """Return the metrics of all examples, which are stored in that order."""
        values = {
            metric.name: metric.value(self._loss, self.all, known[order])
            for metric, known in zip(self._metrics, self._known, strict=True)
        }
        return {name: value for name, value in values.items() if value is not None}
