"""identity: the layer's result, unchanged."""

from functools import partial

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Step


class Identity(Activation):
    """A = Z, dZ = dA."""

    __slots__ = ()
    name = "identity"
    formula = r"z"
    derivative = r"1"

    def forward(self, Z: Array, A: Array) -> Step:
        return partial(np.copyto, A, Z)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Step:
        return partial(np.copyto, dZ, dA)
