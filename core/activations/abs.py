"""abs: the absolute value."""

import numpy as np
from numpy import maximum, multiply, negative

from core.activations.base import Activation
from core.arrays import Array, Op, real
from core.operations import ELEMENT


class Abs(Activation):
    """Absolute value.

    A  = |Z|
    dZ = dA ∘ sign(Z)            0 at the kink z = 0, as in torch
    """

    __slots__ = ()
    name = "abs"
    reads = "preactivation"
    operations = 4 * ELEMENT
    formula = r"|z|"
    derivative = r"\operatorname{sign}(z)"

    def numpy(self) -> str:
        return "np.abs(<Z>)"

    def numpy_derivative(self) -> str:
        return "np.sign(<Z>)"

    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    def forward(self, Z: Array, A: Array) -> Op:
        if Z.dtype.kind == "f":
            return lambda: np.abs(Z, out=A)
        minus = np.empty_like(Z)

        def op() -> None:
            negative(Z, minus)
            maximum(Z, minus, out=A)  # Not the modulus, which would lose a complex step.

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        values = real(Z)
        return lambda: multiply(dA, np.sign(values), dZ)
