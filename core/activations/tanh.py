"""tanh: the hyperbolic tangent."""

from functools import partial

import numpy as np
from numpy import multiply, subtract

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant


class Tanh(Activation):
    """Hyperbolic tangent.

    A  = tanh Z
    dZ = dA ∘ (1 − A ∘ A)
    """

    __slots__ = ()
    name = "tanh"
    symbol = r"\tanh"
    formula = r"\tanh z"
    derivative = r"1 - a^2"

    def numpy(self) -> str:
        return "np.tanh(<Z>)"

    def numpy_derivative(self) -> str:
        return "1 - <A>**2"

    def steepest(self) -> float:
        return 1.0

    def image(self) -> Interval:
        return -1.0, 1.0

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.arctanh(A))

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.tanh, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        one = constant(1, A)

        def op() -> None:
            multiply(A, A, dZ)
            subtract(one, dZ, dZ)
            multiply(dZ, dA, dZ)

        return op
