"""Metrics: the quantities that a training run reports besides the loss. To add one, write a file and list it in METRICS."""

from __future__ import annotations

from core.training.metrics.accuracy import Accuracy
from core.training.metrics.base import Metric
from core.training.metrics.mean_absolute_error import MeanAbsoluteErrorMetric
from core.training.metrics.mean_squared_error import MeanSquaredErrorMetric
from core.training.metrics.r_squared import RSquared

METRICS: tuple[Metric, ...] = (Accuracy(), MeanAbsoluteErrorMetric(), MeanSquaredErrorMetric(), RSquared())

__all__ = ["METRICS", "Metric"]
