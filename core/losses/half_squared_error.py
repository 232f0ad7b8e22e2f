"""half_squared_error: ½ Σ (a − y)²."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy import subtract

from core.arrays import Array, Op, nothing, sum_over_features
from core.losses.base import Loss, LossContext, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfSquaredError(Loss):
    """Half the squared distance from the target; with `sum`, the batch loss of the matrix-form derivation.

    ℓ      = ½ Σ_k (a_k − y_k)²
    ∂ℓ/∂a  = a − y
    """

    kind: Literal["half_squared_error"] = "half_squared_error"
    formula = r"\tfrac{1}{2} \sum_k (a_k - y_k)^2"
    measures_distance = True

    def numpy(self) -> str:
        return "0.5 * ((<A> - <Y>)**2).sum(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return "<A> - <Y>"

    def latex_gradient(self) -> str:
        return r"<A> - <Y>"

    def per_example(self, A: Array, Y: Array) -> Array:
        error = A - Y
        return np.asarray(0.5 * sum_over_features(error * error))

    def value(self, at: LossContext) -> Scalar:
        A, Y, E, share = at.A, at.Y, at.dA, at.share
        if share is None:

            def weighted() -> Any:
                subtract(A, Y, E)
                return 0.5 * at.coefficients.dot(sum_over_features(E * E))

            return weighted
        flat, half = at.flat, 0.5 * share

        def uniform() -> Any:
            subtract(A, Y, E)
            return half * flat.dot(flat)

        return uniform

    def gradient(self, at: LossContext) -> Op:
        return nothing
