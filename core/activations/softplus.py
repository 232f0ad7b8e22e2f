"""softplus: a smooth rectifier."""

import math

import numpy as np
from numpy import add, exp, expm1, log1p, maximum, minimum, multiply, negative

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant


class Softplus(Activation):
    """Smooth rectifier, log(1 + e^Z), through log1p of an exponential that never exceeds 1.

    A  = max(Z, 0) + log(1 + e^−|Z|)
    dZ = dA ∘ σ(Z) = dA ∘ (1 − e^−A)
    """

    __slots__ = ()
    name = "softplus"
    formula = r"\log(1 + e^z)"
    derivative = r"\sigma(z)"

    def numpy(self) -> str:
        return "np.logaddexp(0, <Z>)"

    def numpy_derivative(self) -> str:
        return "1 / (1 + np.exp(-<Z>))"

    def steepest(self) -> float:
        return 1.0

    def image(self) -> Interval:
        return 0.0, math.inf

    def inverse(self, A: Array) -> Array:
        return np.asarray(A + np.log(-np.expm1(-A)))

    def forward(self, Z: Array, A: Array) -> Op:
        zero, T = constant(0, Z), np.empty_like(Z)

        def op() -> None:
            negative(Z, T)
            minimum(Z, T, out=T)
            exp(T, T)
            log1p(T, T)
            maximum(Z, zero, out=A)
            add(A, T, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        def op() -> None:
            negative(A, dZ)
            expm1(dZ, dZ)
            negative(dZ, dZ)
            multiply(dZ, dA, dZ)

        return op
