"""square: each element times itself."""

from numpy import add, multiply

from core.activations.base import Activation
from core.arrays import Array, Op
from core.operations import ELEMENT


class Square(Activation):
    """A = Z ∘ Z, dZ = 2 Z ∘ dA."""

    __slots__ = ()
    name = "square"
    reads = "preactivation"
    operations = 4 * ELEMENT
    formula = r"z^2"
    derivative = r"2 z"

    def numpy(self) -> str:
        return "<Z>**2"

    def numpy_derivative(self) -> str:
        return "2 * <Z>"

    def forward(self, Z: Array, A: Array) -> Op:
        def op() -> None:
            multiply(Z, Z, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        def op() -> None:
            add(Z, Z, dZ)
            multiply(dZ, dA, dZ)

        return op
