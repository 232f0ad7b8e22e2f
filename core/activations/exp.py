"""exp: the exponential function."""

import math
from functools import partial

import numpy as np

from core.activations.base import Activation, Interval
from core.arrays import Array, Op


class Exp(Activation):
    """A = e^Z, dZ = A ∘ dA. Results beyond the dtype's range are refused as non-finite, not rounded."""

    __slots__ = ()
    name = "exp"
    reads = "preactivation"  # The derivative does not need it; a refusal can then name the argument that was too large.
    symbol = r"\exp"
    formula = r"e^z"
    derivative = r"a"

    def image(self) -> Interval:
        return 0.0, math.inf

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.log(A))

    def numpy(self) -> str:
        return "np.exp(<Z>)"

    def numpy_derivative(self) -> str:
        return "<A>"

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.exp, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        return partial(np.multiply, A, dA, dZ)
