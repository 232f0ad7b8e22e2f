"""negate: the opposite sign."""

import math
from functools import partial

import numpy as np

from core.activations.base import Activation, Interval
from core.arrays import Array, Op
from core.operations import ELEMENT


class Negate(Activation):
    """A = −Z, dZ = −dA."""

    __slots__ = ()
    name = "negate"
    symbol = r"-"
    operations = 4 * ELEMENT
    formula = r"-z"
    derivative = r"-1"

    def image(self) -> Interval:
        return -math.inf, math.inf

    def inverse(self, A: Array) -> Array:
        return np.negative(A)

    def numpy(self) -> str:
        return "-<Z>"

    def numpy_derivative(self) -> str:
        return "-np.ones_like(<Z>)"

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.negative, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        return partial(np.negative, dA, dZ)
