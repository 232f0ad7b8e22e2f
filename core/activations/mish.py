"""mish: z times the tanh of its softplus."""

import math

import numpy as np
from numpy import add, divide, exp, minimum, multiply

from core.activations.base import Activation
from core.arrays import Array, Op, constant


class Mish(Activation):
    """Self-regularised smooth function, Z ∘ tanh(softplus(Z)).

        A  = Z ∘ T,     T = n / (n + 2),     n = e^Z (e^Z + 2)
        dZ = dA ∘ (T + Z ∘ σ(Z) ∘ (1 − T²)),     σ (1 − T²) = 4 e^Z (e^Z + 1) / (n + 2)²

    T = tanh(log(1 + e^Z)) is rational in e^Z, so no logarithm is needed and the lower tail keeps its relative accuracy. The
    exponent is held below the point where T rounds to 1, so nothing overflows.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function (2020), §3.
    """

    __slots__ = ()
    name = "mish"
    reads = "preactivation"
    formula = r"z \tanh(\log(1 + e^z))"
    derivative = r"t + z\,\sigma(z)\,(1 - t^2),\; t = \tanh(\log(1 + e^z))"

    def numpy(self) -> str:
        return "<Z> * np.tanh(np.logaddexp(0, <Z>))"

    def numpy_derivative(self) -> str:
        tanh = "np.tanh(np.logaddexp(0, <Z>))"
        return f"{tanh} + <Z> * (1 - {tanh}**2) / (1 + np.exp(-<Z>))"

    def steepest(self) -> float:
        return 1.09

    def forward(self, Z: Array, A: Array) -> Op:
        two, saturated = constant(2, Z), _saturated(Z)
        denominator = np.empty_like(A)

        def op() -> None:
            minimum(Z, saturated, out=A)
            exp(A, A)
            add(A, two, denominator)
            multiply(A, denominator, A)
            add(A, two, denominator)
            divide(A, denominator, A)
            multiply(A, Z, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        one, two, four, saturated = constant(1, Z), constant(2, Z), constant(4, Z), _saturated(Z)
        E, n = np.empty_like(Z), np.empty_like(Z)

        def op() -> None:
            minimum(Z, saturated, out=E)
            exp(E, E)
            add(E, two, n)
            multiply(n, E, n)
            add(E, one, dZ)
            multiply(dZ, E, dZ)
            multiply(dZ, four, dZ)
            add(n, two, E)
            divide(dZ, E, dZ)
            multiply(dZ, Z, dZ)
            add(dZ, n, dZ)
            divide(dZ, E, dZ)
            multiply(dZ, dA, dZ)

        return op


def _saturated(Z: Array) -> Array:
    """Return an argument from which on T is 1 to the last digit."""
    return constant(2 - math.log(np.finfo(Z.dtype).eps) / 2, Z)
