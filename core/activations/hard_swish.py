"""hard_swish: z times a sigmoid of three straight pieces."""

from numpy import add, copyto, maximum, minimum, multiply

from core.activations.base import Activation
from core.arrays import Array, Op, constant, real
from core.operations import ELEMENT


class HardSwish(Activation):
    """Piecewise quadratic swish.

        A  = Z ∘ min(max(Z/6 + 1/2, 0), 1)
        dZ = 0 where Z ≤ −3, dA where Z ≥ 3, (Z/3 + 1/2) ∘ dA between          at the kinks as in torch

    Source: Howard et al., Searching for MobileNetV3 (2019), §5.2.
    """

    __slots__ = ()
    name = "hard_swish"
    reads = "preactivation"
    units_may_die = True
    operations = 4 * ELEMENT
    formula = r"z \min(\max(\tfrac{z}{6} + \tfrac{1}{2}, 0), 1)"
    derivative = r"\begin{cases} 0 & z \le -3 \\ \tfrac{z}{3} + \tfrac{1}{2} & -3 < z < 3 \\ 1 & z \ge 3 \end{cases}"

    def numpy(self) -> str:
        return "<Z> * np.clip(<Z> / 6 + 0.5, 0, 1)"

    def numpy_derivative(self) -> str:
        return "np.where(<Z> <= -3, 0.0, np.where(<Z> >= 3, 1.0, <Z> / 3 + 0.5))"

    def kinks(self) -> tuple[float, ...]:
        return (-3.0, 3.0)

    def steepest(self) -> float:
        return 1.5

    def forward(self, Z: Array, A: Array) -> Op:
        sixth, half, zero, one = (constant(value, Z) for value in (1 / 6, 0.5, 0, 1))

        def op() -> None:
            multiply(Z, sixth, A)
            add(A, half, A)
            maximum(A, zero, out=A)
            minimum(A, one, out=A)
            multiply(A, Z, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        third, half, zero, one = (constant(value, Z) for value in (1 / 3, 0.5, 0, 1))
        values = real(Z)

        def op() -> None:
            multiply(Z, third, dZ)
            add(dZ, half, dZ)
            copyto(dZ, zero, where=values <= -3)
            copyto(dZ, one, where=values >= 3)
            multiply(dZ, dA, dZ)

        return op
