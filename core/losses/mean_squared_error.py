"""mean_squared_error: the mean over the features of (a − y)²."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.arrays import Array, Op, constant, sum_over_features
from core.losses.base import Loss, LossContext


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSquaredError(Loss):
    """Mean over the K features of the squared error; with `mean`, what torch and Keras call MSE.

    ℓ      = (1/K) Σ_k (a_k − y_k)²
    ∂ℓ/∂a  = (2/K) (a − y)
    """

    kind: Literal["mean_squared_error"] = "mean_squared_error"
    formula = r"\frac{1}{K} \sum_k (a_k - y_k)^2"
    measures_distance = True
    averages_outputs = True

    def numpy(self) -> str:
        return "((<A> - <Y>)**2).mean(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return "2 / <K> * (<A> - <Y>)"

    def latex_gradient(self) -> str:
        return r"\tfrac{2}{K} (<A> - <Y>)"

    def per_example(self, A: Array, Y: Array) -> Array:
        error = A - Y
        return sum_over_features(error * error) * (len(A) / A.size)

    def gradient(self, at: LossContext) -> Op:
        factor = constant(2 * len(at.A) / at.A.size, at.A)

        def op() -> None:
            np.subtract(at.A, at.Y, at.dA)
            np.multiply(at.dA, factor, at.dA)

        return op
