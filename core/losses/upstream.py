"""upstream: no loss; the caller sends ∂L/∂(output)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from core.arrays import Array, Op, sum_over_features
from core.losses.base import Loss, LossContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream(Loss):
    """No loss of its own: `batch.upstream` is ∂L/∂(output) of any loss, and the answer a vector-Jacobian product.

        ∂L/∂a  = upstream          as it is sent: neither averaged nor weighted

    It is the gradient of Σ upstream ∘ a, which is what a certificate differentiates. That sum is not reported as a loss.
    """

    kind: Literal["upstream"] = "upstream"
    formula = r"\langle \text{upstream}, a \rangle"
    needs_targets = False

    def numpy_gradient(self) -> str:
        return "<Y>"

    def latex_gradient(self) -> str:
        return r"<Y>"

    def per_example(self, A: Array, Y: Array) -> Array:
        return sum_over_features(A * Y)

    def gradient(self, at: LossContext) -> Op:
        return partial(np.copyto, at.dA, at.Y)

    def batch_formula(self) -> str:
        return r"\frac{\partial L}{\partial a} = \text{upstream}"
