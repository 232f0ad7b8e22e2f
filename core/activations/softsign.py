"""softsign: a sigmoid with polynomial tails."""

import numpy as np
from numpy import add, divide, maximum, multiply, negative

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant


class Softsign(Activation):
    """Sigmoid with polynomial tails.

    A  = Z / (1 + |Z|)
    dZ = dA / (1 + |Z|)² = dA ∘ (1 − |A|)²
    """

    __slots__ = ()
    name = "softsign"
    reads = "preactivation"
    formula = r"\frac{z}{1 + |z|}"
    derivative = r"\frac{1}{(1 + |z|)^2}"

    def numpy(self) -> str:
        return "<Z> / (1 + np.abs(<Z>))"

    def numpy_derivative(self) -> str:
        return "1 / (1 + np.abs(<Z>))**2"

    def steepest(self) -> float:
        return 1.0

    def image(self) -> Interval:
        return -1.0, 1.0

    def inverse(self, A: Array) -> Array:
        return np.asarray(A / (1 - np.abs(A)))

    def forward(self, Z: Array, A: Array) -> Op:
        one, T = constant(1, Z), np.empty_like(Z)

        def op() -> None:
            negative(Z, T)
            maximum(Z, T, out=T)
            add(T, one, T)
            divide(Z, T, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        one = constant(1, Z)

        def op() -> None:
            negative(Z, dZ)
            maximum(Z, dZ, out=dZ)
            add(dZ, one, dZ)
            multiply(dZ, dZ, dZ)
            divide(dA, dZ, dZ)

        return op
