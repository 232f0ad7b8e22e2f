"""mean_absolute_error: the mean over the features of |a − y|."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.arrays import Array, Op, constant, real, sum_over_features
from core.losses.base import Loss, LossContext


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanAbsoluteError(Loss):
    """Mean over the K features of the absolute error; with `mean`, torch's L1Loss.

    ℓ      = (1/K) Σ_k |a_k − y_k|
    ∂ℓ/∂a  = (1/K) sign(a − y)          0 at the kink a = y
    """

    kind: Literal["mean_absolute_error"] = "mean_absolute_error"
    formula = r"\frac{1}{K} \sum_k |a_k - y_k|"
    measures_distance = True
    averages_outputs = True
    kink = "the kink of |a − y| at a = y"

    def numpy(self) -> str:
        return "np.abs(<A> - <Y>).mean(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return "np.sign(<A> - <Y>) / <K>"

    def latex_gradient(self) -> str:
        return r"\tfrac{1}{K} \operatorname{sign}(<A> - <Y>)"

    def per_example(self, A: Array, Y: Array) -> Array:
        error = A - Y
        return sum_over_features(np.maximum(error, -error)) * (len(A) / A.size)

    def distance_to_kink(self, A: Array, Y: Array) -> Array | None:
        return np.asarray(A - Y)

    def gradient(self, at: LossContext) -> Op:
        factor = constant(len(at.A) / at.A.size, at.A)

        error = real(at.dA)

        def op() -> None:
            np.subtract(at.A, at.Y, at.dA)
            np.sign(error, at.dA)
            np.multiply(at.dA, factor, at.dA)

        return op
