"""erf: the error function."""

import math

import numpy as np
from numpy import copyto, exp, multiply, negative

from core.activations.base import Activation, Interval
from core.activations.normal import error_function
from core.arrays import Array, Op, constant


class Erf(Activation):
    """Error function, the sigmoid inside gelu.

    A  = (2/√π) ∫₀^Z e^(−t²) dt
    dZ = (2/√π) e^(−Z²) ∘ dA
    """

    __slots__ = ()
    name = "erf"
    reads = "preactivation"
    symbol = r"\operatorname{erf}"
    formula = r"\operatorname{erf}(z)"
    derivative = r"\tfrac{2}{\sqrt{\pi}} e^{-z^2}"

    def numpy(self) -> str:
        return "np.vectorize(math.erf)(<Z>)"

    def numpy_derivative(self) -> str:
        return "2 / np.sqrt(np.pi) * np.exp(-<Z>**2)"

    def steepest(self) -> float:
        return 2 / math.sqrt(math.pi)

    def image(self) -> Interval:
        return -1.0, 1.0

    def inverse(self, A: Array) -> Array:
        """Return Z by Newton's method from Winitzki's approximation, which is right to 0.2 %."""
        logarithm = np.log1p(-A * A)
        middle = 2 / (math.pi * 0.147) + logarithm / 2
        Z = np.copysign(np.sqrt(np.sqrt(middle**2 - logarithm / 0.147) - middle), A)
        for _ in range(4):
            Z = Z - (error_function(Z) - A) * np.exp(Z * Z) * (math.sqrt(math.pi) / 2)
        return np.asarray(Z)

    def forward(self, Z: Array, A: Array) -> Op:
        def op() -> None:
            copyto(A, error_function(Z))

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        peak = constant(2 / math.sqrt(math.pi), Z)

        def op() -> None:
            multiply(Z, Z, dZ)
            negative(dZ, dZ)
            exp(dZ, dZ)
            multiply(dZ, peak, dZ)
            multiply(dZ, dA, dZ)

        return op
