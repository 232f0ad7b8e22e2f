"""sigmoid: the logistic function."""

import math

import numpy as np
from numpy import add, divide, exp, minimum, multiply, subtract

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant


class Sigmoid(Activation):
    """Logistic function.

        A  = e^Z / (1 + e^Z)
        dZ = dA ∘ A ∘ (1 − A)        by the quotient rule

    The exponent is held below the point where A rounds to 1, so nothing overflows and the lower tail keeps its relative
    accuracy: σ(−40) is 4.2e-18, not 0.
    """

    __slots__ = ()
    name = "sigmoid"
    symbol = r"\sigma"
    formula = r"\frac{1}{1 + e^{-z}}"
    derivative = r"a\,(1 - a)"

    def numpy(self) -> str:
        return "1 / (1 + np.exp(-<Z>))"

    def numpy_derivative(self) -> str:
        return "<A> * (1 - <A>)"

    def steepest(self) -> float:
        return 0.25

    def image(self) -> Interval:
        return 0.0, 1.0

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.log(A) - np.log1p(-A))

    def forward(self, Z: Array, A: Array) -> Op:
        one = constant(1, Z)
        saturated = constant(2 - math.log(np.finfo(Z.dtype).eps), Z)
        denominator = np.empty_like(A)

        def op() -> None:
            minimum(Z, saturated, out=A)
            exp(A, A)
            add(A, one, denominator)
            divide(A, denominator, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        one = constant(1, A)

        def op() -> None:
            subtract(one, A, dZ)
            multiply(dZ, A, dZ)
            multiply(dZ, dA, dZ)

        return op
