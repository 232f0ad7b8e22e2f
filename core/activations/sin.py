"""sin: the sine, as in periodic activations."""

from functools import partial

import numpy as np
from numpy import cos, multiply

from core.activations.base import Activation
from core.arrays import Array, Op


class Sin(Activation):
    """A = sin Z, dZ = cos Z ∘ dA."""

    __slots__ = ()
    name = "sin"
    reads = "preactivation"
    symbol = r"\sin"
    formula = r"\sin z"
    derivative = r"\cos z"

    def numpy(self) -> str:
        return "np.sin(<Z>)"

    def numpy_derivative(self) -> str:
        return "np.cos(<Z>)"

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.sin, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        def op() -> None:
            cos(Z, dZ)
            multiply(dZ, dA, dZ)

        return op
