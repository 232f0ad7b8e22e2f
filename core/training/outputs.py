"""Outputs: what the network gave for every example of an epoch."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.problem import Problem
from core.training.examples import objective_of
from core.training.metrics import METRICS, measure


class Outputs:
    """The outputs of all examples of an epoch, in its order, each from its own step."""

    def __init__(self, problem: Problem) -> None:
        objective = objective_of(problem)
        self._loss, self._targets = objective.loss, objective.targets
        self.all = np.empty(self._targets.shape, problem.dtype)
        self.means_something = any(metric.applies(self._loss, self._targets) for metric in METRICS)
        """Whether there is a metric; without one, no output is stored."""

    def keep(self, start: int, output: Array) -> None:
        """Store the outputs of a step whose first example is the one numbered `start` in the order of the epoch."""
        if self.means_something:
            part = self.all[start : start + len(output)] if output.ndim else self.all
            np.copyto(part, output.reshape(part.shape))

    def measure(self, order: Array) -> dict[str, float]:
        """Return the metrics of all examples, which are stored in that order."""
        return measure(self._loss, self.all, self._targets[order]) if self.means_something else {}
