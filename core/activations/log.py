"""log: the natural logarithm."""

import math
from functools import partial

import numpy as np

from core.activations.base import Activation, Interval
from core.arrays import Array, Op


class Log(Activation):
    """A = log Z, dZ = dA / Z. Defined for Z > 0; anything else is refused as non-finite."""

    __slots__ = ()
    name = "log"
    reads = "preactivation"
    symbol = r"\log"
    formula = r"\log z"
    derivative = r"\frac{1}{z}"

    def image(self) -> Interval:
        return -math.inf, math.inf

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.exp(A))

    def numpy(self) -> str:
        return "np.log(<Z>)"

    def numpy_derivative(self) -> str:
        return "1 / <Z>"

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.log, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        return partial(np.divide, dA, Z, dZ)
