"""negate: the opposite sign."""

from functools import partial

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Step


class Negate(Activation):
    """A = −Z, dZ = −dA."""

    __slots__ = ()
    name = "negate"
    formula = r"-z"
    derivative = r"-1"

    def forward(self, Z: Array, A: Array) -> Step:
        return partial(np.negative, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Step:
        return partial(np.negative, dA, dZ)
