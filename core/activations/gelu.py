"""gelu: the Gaussian error linear unit, in its exact form."""

import math

from numpy import add, exp, multiply

from core.activations.base import Activation
from core.activations.normal import normal_distribution
from core.arrays import Array, Op, constant


class Gelu(Activation):
    """Gaussian error linear unit, with the normal distribution function Φ itself, not its tanh approximation.

        A  = Z ∘ Φ(Z)
        dZ = dA ∘ (Φ(Z) + Z ∘ φ(Z)),     φ(z) = e^(−z²/2) / √(2π)

    Source: Hendrycks & Gimpel, Gaussian Error Linear Units (2016), §2.
    """

    __slots__ = ()
    name = "gelu"
    reads = "preactivation"
    formula = r"z\,\Phi(z)"
    derivative = r"\Phi(z) + z\,\varphi(z)"

    def numpy(self) -> str:
        return "<Z> * 0.5 * (1 + np.vectorize(math.erf)(<Z> / np.sqrt(2)))"

    def numpy_derivative(self) -> str:
        return "0.5 * (1 + np.vectorize(math.erf)(<Z> / np.sqrt(2))) + <Z> * np.exp(-<Z>**2 / 2) / np.sqrt(2 * np.pi)"

    def steepest(self) -> float:
        return 1.13

    def forward(self, Z: Array, A: Array) -> Op:
        def op() -> None:
            multiply(Z, normal_distribution(Z), A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        minus_half, peak = constant(-0.5, Z), constant(1 / math.sqrt(2 * math.pi), Z)

        def op() -> None:
            multiply(Z, Z, dZ)
            multiply(dZ, minus_half, dZ)
            exp(dZ, dZ)
            multiply(dZ, peak, dZ)
            multiply(dZ, Z, dZ)
            add(dZ, normal_distribution(Z), dZ)
            multiply(dZ, dA, dZ)

        return op
