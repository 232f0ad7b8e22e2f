"""sqrt: the square root."""

import math
from functools import partial

import numpy as np
from numpy import add, divide

from core.activations.base import Activation, Interval
from core.arrays import Array, Op
from core.operations import ELEMENT


class Sqrt(Activation):
    """A = √Z, dZ = dA / (2 A). Defined for Z ≥ 0; the derivative at 0 is infinite, and is refused as non-finite."""

    __slots__ = ()
    name = "sqrt"
    reads = "preactivation"  # The derivative does not need it; a refusal can then name the argument that was negative.
    symbol = r"\operatorname{sqrt}"
    operations = 4 * ELEMENT
    formula = r"\sqrt{z}"
    derivative = r"\frac{1}{2 a}"

    def image(self) -> Interval:
        return 0.0, math.inf

    def inverse(self, A: Array) -> Array:
        return np.asarray(A * A)

    def numpy(self) -> str:
        return "np.sqrt(<Z>)"

    def numpy_derivative(self) -> str:
        return "1 / (2 * <A>)"

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.sqrt, Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        def op() -> None:
            add(A, A, dZ)
            divide(dA, dZ, dZ)

        return op
