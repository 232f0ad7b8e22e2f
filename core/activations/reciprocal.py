"""reciprocal: one divided by each element."""

from functools import partial

import numpy as np
from numpy import multiply, negative

from core.activations.base import Activation
from core.arrays import Array, Op, constant
from core.operations import ELEMENT


class Reciprocal(Activation):
    """A = 1 / Z, dZ = −A ∘ A ∘ dA. Defined for Z ≠ 0; 0 is refused as non-finite."""

    __slots__ = ()
    name = "reciprocal"
    reads = "preactivation"  # The derivative does not need it; a refusal can then name the argument that was 0.
    operations = 4 * ELEMENT
    formula = r"\frac{1}{z}"
    derivative = r"-a^2"

    def numpy(self) -> str:
        return "1 / <Z>"

    def numpy_derivative(self) -> str:
        return "-<A>**2"

    def forward(self, Z: Array, A: Array) -> Op:
        return partial(np.divide, constant(1, Z), Z, A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        def op() -> None:
            multiply(A, A, dZ)
            negative(dZ, dZ)
            multiply(dZ, dA, dZ)

        return op
