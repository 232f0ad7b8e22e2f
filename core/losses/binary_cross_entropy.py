"""binary_cross_entropy: −Σ y log a + (1 − y) log(1 − a), for independent probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy import subtract

from core.activations.base import Activation
from core.activations.sigmoid import Sigmoid
from core.arrays import Array, Op, sum_over_features
from core.errors import Issue
from core.losses.base import Loss, LossContext
from core.losses.cross_entropy import DIVIDED, TIMES_LOG, divide, times_log
from core.losses.sigmoid_cross_entropy import SigmoidCrossEntropy, refuse_beyond_one


def _other(expression: str) -> str:
    """Return the expression for class 0: 1 − y and 1 − a in place of y and a."""
    return expression.replace("<Y>", "(1 - <Y>)").replace("<A>", "(1 - <A>)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of independent probabilities, one for each feature.

        ℓ      = −Σ_k (y_k log a_k + (1 − y_k) log(1 − a_k))
        ∂ℓ/∂a  = −y / a + (1 − y) / (1 − a)

    Directly after sigmoid it is computed on the logits, where ∂ℓ/∂z = a − y.
    """

    kind: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    formula = r"-\sum_k \bigl( y_k \log a_k + (1 - y_k) \log(1 - a_k) \bigr)"
    boundary = (0.5, 0.5)
    takes_class_indices = True
    advice_on_logarithms = "Use sigmoid as the last activation, or sigmoid_cross_entropy on the logits."

    def refusal_of(self, Y: Array) -> Issue | None:
        return refuse_beyond_one(self.kind, Y)

    def numpy(self) -> str:
        return f"-({TIMES_LOG} + {_other(TIMES_LOG)}).sum(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return f"-{DIVIDED} + {_other(DIVIDED)}"

    def latex_gradient(self) -> str:
        return r"-<Y> \oslash <A> + (1 - <Y>) \oslash (1 - <A>)"

    def per_example(self, A: Array, Y: Array) -> Array:
        return -sum_over_features(times_log(Y, A) + times_log(1 - Y, 1 - A))

    def gradient(self, at: LossContext) -> Op:
        def op() -> None:
            subtract(divide(1 - at.Y, 1 - at.A), divide(at.Y, at.A), at.dA)

        return op

    def on_logits(self, activation: Activation) -> Loss | None:
        return SigmoidCrossEntropy(reduction=self.reduction, l2=self.l2) if isinstance(activation, Sigmoid) else None
