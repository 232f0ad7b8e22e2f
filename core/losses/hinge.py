"""hinge: the margin loss of support vector machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.arrays import Array, Op, Shape, real, sum_over_features
from core.errors import Issue
from core.losses.base import Loss, LossContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Hinge(Loss):
    """Margin loss for targets −1 and +1, one margin for each feature.

    ℓ      = Σ_k max(0, 1 − y_k a_k)
    ∂ℓ/∂a  = −y where y a < 1, 0 elsewhere          0 at the kink y a = 1
    """

    kind: Literal["hinge"] = "hinge"
    formula = r"\sum_k \max(0, 1 - y_k a_k)"
    boundary = (0.0, 0.0)
    kink = "the kink of the hinge at y a = 1"

    def refusal_of(self, Y: Array) -> Issue | None:
        wrong = np.argwhere(np.abs(Y) != 1)
        if not len(wrong):
            return None
        return Issue(
            code="invalid-request",
            detail=f"hinge compares with targets -1 and +1; one of them is {Y[tuple(wrong[0])]:g}.",
            expected=[-1, 1],
            hint="Send 2y − 1 for targets 0 and 1.",
        )

    def numpy(self) -> str:
        return "np.maximum(1 - <Y> * <A>, 0).sum(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return "np.where(<Y> * <A> < 1, -<Y>, 0)"

    def latex_gradient(self) -> str:
        return r"-<Y> \circ [<Y> \circ <A> < 1]"

    def per_example(self, A: Array, Y: Array) -> Array:
        return sum_over_features(np.maximum(1 - Y * A, 0))

    def distance_to_kink(self, A: Array, Y: Array) -> Array | None:
        return np.asarray(1 - A * Y)

    def draw_targets(self, shape: Shape, generator: np.random.Generator) -> Array:
        return np.asarray(generator.choice([-1.0, 1.0], shape))

    def gradient(self, at: LossContext) -> Op:
        def op() -> None:
            at.dA[...] = np.where(real(at.Y * at.A) < 1, -at.Y, 0)

        return op
