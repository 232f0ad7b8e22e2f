"""huber: squared near the target, absolute far from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.arrays import Array, Op, constant, sum_over_features
from core.losses.base import Loss, LossContext
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Huber(Loss):
    """Huber's loss, averaged over the K features as torch and Keras do; e = a − y.

        ℓ      = (1/K) Σ_k { ½ e_k²  where |e_k| ≤ δ;  δ (|e_k| − ½ δ)  elsewhere }
        ∂ℓ/∂a  = (1/K) min(max(e, −δ), δ)

    Source: Huber, Robust Estimation of a Location Parameter (1964).
    """

    kind: Literal["huber"] = "huber"

    delta: float = field(default=1.0, metadata=constraints(gt=0))
    """δ: the error beyond which the loss grows linearly."""

    formula = (
        r"\frac{1}{K} \sum_k \begin{cases} \tfrac{1}{2} e_k^2 & |e_k| \le \delta \\"
        r" \delta (|e_k| - \tfrac{1}{2} \delta) & |e_k| > \delta \end{cases}, \quad e = a - y"
    )
    measures_distance = True
    averages_outputs = True

    def numpy(self) -> str:
        error, limit = "np.abs(<A> - <Y>)", repr(self.delta)
        return f"np.where({error} <= {limit}, 0.5 * {error}**2, {limit} * ({error} - 0.5 * {limit})).mean(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return f"np.clip(<A> - <Y>, -{self.delta!r}, {self.delta!r}) / <K>"

    def latex_gradient(self) -> str:
        return r"\tfrac{1}{K} \operatorname{clip}(<A> - <Y>)"

    def per_example(self, A: Array, Y: Array) -> Array:
        error = A - Y
        size = np.maximum(error, -error)
        values = np.where(size.real <= self.delta, 0.5 * error * error, self.delta * (size - 0.5 * self.delta))
        return sum_over_features(values) * (len(A) / A.size)

    def gradient(self, at: LossContext) -> Op:
        factor, delta = constant(len(at.A) / at.A.size, at.A), constant(self.delta, at.A)

        def op() -> None:
            np.subtract(at.A, at.Y, at.dA)
            np.maximum(at.dA, -delta, out=at.dA)
            np.minimum(at.dA, delta, out=at.dA)
            np.multiply(at.dA, factor, at.dA)

        return op
