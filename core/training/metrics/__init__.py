"""Metrics: the quantities that a training run reports besides the loss. To add one, write a file and list it in METRICS."""

from __future__ import annotations

from core.arrays import Array
from core.losses import Loss
from core.training.metrics.accuracy import Accuracy
from core.training.metrics.base import Metric
from core.training.metrics.mean_absolute_error import MeanAbsoluteErrorMetric
from core.training.metrics.mean_squared_error import MeanSquaredErrorMetric
from core.training.metrics.r_squared import RSquared

METRICS: tuple[Metric, ...] = (Accuracy(), MeanAbsoluteErrorMetric(), MeanSquaredErrorMetric(), RSquared())


def measure(loss: Loss, output: Array, targets: Array) -> dict[str, float]:
    """Return the metrics that apply to this loss, over all examples."""
    values = {metric.name: metric.value(loss, output, targets) for metric in METRICS if metric.applies(loss, output)}
    return {name: value for name, value in values.items() if value is not None}


__all__ = ["METRICS", "Metric", "measure"]
