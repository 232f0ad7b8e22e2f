"""cross_entropy: −Σ y log a, for probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.activations.base import Activation
from core.activations.softmax import Softmax
from core.arrays import Array, Op, Shape, sum_over_features
from core.errors import Issue
from core.losses.base import Loss, LossContext
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy, draw_classes

TIMES_LOG = "np.where(<Y> == 0, 0, <Y> * np.log(np.where(<Y> == 0, 1, <A>)))"
DIVIDED = "np.where(<Y> == 0, 0, <Y> / np.where(<Y> == 0, 1, <A>))"
"""Y log A and Y / A as NumPy expressions, 0 where Y is 0."""


def times_log(Y: Array, A: Array) -> Array:
    """Return Y log A, and 0 where Y is 0, whatever A is."""
    absent = Y == 0
    return np.asarray(np.where(absent, 0, Y * np.log(np.where(absent, 1, A))))


def divide(Y: Array, A: Array) -> Array:
    """Return Y / A, and 0 where Y is 0, whatever A is."""
    return np.divide(Y, A, out=np.zeros_like(A), where=Y != 0)


def refuse_negative(kind: str, Y: Array) -> Issue | None:
    """Return an issue if a target is negative: the targets of an entropy are probabilities."""
    if not (Y < 0).any():
        return None
    return Issue(
        code="invalid-request", detail=f"{kind} takes probabilities as targets; the least of these is {Y.min():g}."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross-entropy of a probability vector a.

        ℓ      = −Σ_k y_k log a_k
        ∂ℓ/∂a  = −y / a

    Directly after softmax it is computed on the logits, where ∂ℓ/∂z = a Σy − y (= a − y for targets that sum to 1).
    """

    kind: Literal["cross_entropy"] = "cross_entropy"
    formula = r"-\sum_k y_k \log a_k"
    takes_class_indices = True
    advice_on_logarithms = "Use softmax as the last activation, or softmax_cross_entropy on the logits."

    def draw_targets(self, shape: Shape, generator: np.random.Generator) -> Array:
        return draw_classes(shape, generator)

    def refusal_of(self, Y: Array) -> Issue | None:
        return refuse_negative(self.kind, Y)

    def numpy(self) -> str:
        return f"-{TIMES_LOG}.sum(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return f"-{DIVIDED}"

    def latex_gradient(self) -> str:
        return r"-<Y> \oslash <A>"

    def numpy_fused(self) -> str:
        return "<A> * <Y>.sum(axis=<axis>, keepdims=True) - <Y>"

    def per_example(self, A: Array, Y: Array) -> Array:
        return -sum_over_features(times_log(Y, A))

    def gradient(self, at: LossContext) -> Op:
        def op() -> None:
            np.negative(divide(at.Y, at.A), at.dA)

        return op

    def on_logits(self, activation: Activation) -> Loss | None:
        return SoftmaxCrossEntropy(reduction=self.reduction, l2=self.l2) if isinstance(activation, Softmax) else None
