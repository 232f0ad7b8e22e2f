"""Metric: the interface of all metrics."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.losses import Loss


class Metric:
    """A measure of the quality of outputs. It does not affect training."""

    name: ClassVar[str]

    def applies(self, loss: Loss, output: Array) -> bool:
        """Return True if the metric is meaningful for networks trained with this loss."""
        raise NotImplementedError

    def known(self, loss: Loss, targets: Array) -> Array:
        """Return what the metric reads of the targets, which are the same in every epoch; axis 0 is the examples."""
        return targets

    def value(self, loss: Loss, output: Array, known: Array) -> float | None:
        """Return the number, or None if it is undefined; `known` has the examples in the order of the output."""
        raise NotImplementedError


class RegressionMetric(Metric):
    """A metric of outputs that approximate their targets."""

    def applies(self, loss: Loss, output: Array) -> bool:
        return loss.measures_distance
