"""Metric: the interface of all metrics."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.losses import Loss


class Metric:
    """A number that tells how good outputs are. It moves nothing."""

    name: ClassVar[str]

    def applies(self, loss: Loss, output: Array) -> bool:
        """Return True if the metric is meaningful for networks trained with this loss."""
        raise NotImplementedError

    def value(self, loss: Loss, output: Array, targets: Array) -> float | None:
        """The number, or None where there is none. Examples are the first axis; targets have the shape of the output."""
        raise NotImplementedError


class RegressionMetric(Metric):
    """A metric of outputs that are to be near their targets."""

    def applies(self, loss: Loss, output: Array) -> bool:
        return loss.measures_distance
