"""Mean absolute error."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.losses import Loss
from core.training.metrics.base import RegressionMetric


class MeanAbsoluteErrorMetric(RegressionMetric):
    """(1/(n K)) Σ_ik |a_ik - y_ik|."""

    name: ClassVar[str] = "mean_absolute_error"

    def value(self, loss: Loss, output: Array, known: Array) -> float | None:
        return float(np.mean(np.abs(output - known), dtype=np.float64))
