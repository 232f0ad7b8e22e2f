"""softmax-jacobian-diagonal: only the diagonal of softmax's Jacobian."""

from __future__ import annotations

import numpy as np

from core.activations.base import Activation
from core.arrays import Array
from core.checking.formulas import RIGHT
from core.checking.mistakes.shared.derivative import WrongDerivative
from core.checking.trace import Trace


class SoftmaxJacobianDiagonal(WrongDerivative):
    """a(1 − a) ∘ ∂L/∂A for softmax, as if it were elementwise."""

    slug = "softmax-jacobian-diagonal"
    said = "uses only the diagonal of the softmax Jacobian, a(1 − a)"
    wrong = r"\delta = A \circ (1 - A) \circ \frac{\partial L}{\partial A}"
    why = (
        "Every output of softmax depends on every z, so its Jacobian diag(a) − a aᵀ is not diagonal. With the "
        "diagonal alone, the deltas of an example no longer sum to 0, and for a one-hot target all but one of them "
        "are 0."
    )

    def concerns(self, function: Activation) -> bool:
        return function.name == "softmax"

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return np.asarray(A * (1 - A) * dA)


class SoftmaxDiagonalAppliedAgain(SoftmaxJacobianDiagonal):
    """a(1 − a) ∘ (a − y): the elementwise derivative on a delta that has passed softmax already."""

    slug = "softmax-diagonal-applied-again"
    said = "is a − y multiplied once more by a(1 − a)"
    wrong = r"\delta = A \circ (1 - A) \circ (A - Y)"
    why = (
        "For cross-entropy after softmax, a − y is already ∂L/∂z: the derivative of softmax cancels against that of "
        "the loss. Besides, softmax is not elementwise, so a(1 − a) is only the diagonal of its Jacobian."
    )

    def output_delta(self, trace: Trace) -> Array:
        A = trace.activations[trace.network.last]
        return np.asarray(A * (1 - A) * RIGHT.output_delta(trace))

    def concerns(self, function: Activation) -> bool:
        return function.name == "softmax"
