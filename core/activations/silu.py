"""silu: the sigmoid-weighted linear unit, also called swish."""

import numpy as np
from numpy import add, multiply, subtract

from core.activations.base import Activation
from core.activations.sigmoid import Sigmoid
from core.arrays import Array, Op, constant


class Silu(Activation):
    """Sigmoid-weighted linear unit.

        A  = Z ∘ σ(Z)
        dZ = dA ∘ (σ(Z) + A ∘ (1 − σ(Z)))

    Source: Elfwing, Uchibe & Doya, Sigmoid-Weighted Linear Units (2018).
    """

    __slots__ = ()
    name = "silu"
    reads = "preactivation"
    formula = r"z\,\sigma(z)"
    derivative = r"\sigma(z) + a\,(1 - \sigma(z))"

    def numpy(self) -> str:
        return "<Z> / (1 + np.exp(-<Z>))"

    def numpy_derivative(self) -> str:
        return "(1 + <Z> * (1 - 1 / (1 + np.exp(-<Z>)))) / (1 + np.exp(-<Z>))"

    def steepest(self) -> float:
        return 1.1

    def forward(self, Z: Array, A: Array) -> Op:
        sigmoid = Sigmoid().forward(Z, A)

        def op() -> None:
            sigmoid()
            multiply(Z, A, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        one = constant(1, Z)
        S = np.empty_like(Z)
        sigmoid = Sigmoid().forward(Z, S)

        def op() -> None:
            sigmoid()
            subtract(one, S, dZ)
            multiply(dZ, A, dZ)
            add(dZ, S, dZ)
            multiply(dZ, dA, dZ)

        return op
