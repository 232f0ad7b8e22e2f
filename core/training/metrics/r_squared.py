"""The coefficient of determination."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.losses import Loss
from core.training.metrics.base import RegressionMetric


class RSquared(RegressionMetric):
    """R² = 1 - Σ_ik (a_ik - y_ik)² / Σ_ik (y_ik - ȳ_k)², with ȳ_k the mean target of output k.

    1 is perfect, 0 is as good as the means; there is none where all targets are the same.
    """

    name: ClassVar[str] = "r_squared"

    def value(self, loss: Loss, output: Array, known: Array) -> float | None:
        spread = float(np.sum(np.square(known - known.mean(0, dtype=np.float64)), dtype=np.float64))
        if not spread:
            return None
        return 1 - float(np.sum(np.square(output - known), dtype=np.float64)) / spread
