"""hard_sigmoid: a sigmoid of three straight pieces."""

from dataclasses import dataclass, field

from numpy import add, maximum, minimum, multiply

from core.activations.base import Activation
from core.arrays import Array, Op, constant, real
from core.operations import ELEMENT
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class HardSigmoid(Activation):
    """Piecewise linear sigmoid with slope α and value β at 0.

        A  = min(max(α Z + β, 0), 1)
        dZ = α dA where 0 < A < 1, 0 elsewhere            0 at both kinks, as in torch

    The defaults α = 1/6 and β = 1/2 are torch's; ONNX and early Keras have α = 0.2.

    Source: Courbariaux, Bengio & David, BinaryConnect (2015), §2.3, with α = β = 1/2.
    """

    alpha: float = field(default=1 / 6, metadata=constraints())
    """α: the slope between both kinks."""

    beta: float = field(default=0.5, metadata=constraints())
    """β: the value at z = 0."""

    name = "hard_sigmoid"
    units_may_die = True
    operations = 4 * ELEMENT
    formula = r"\min(\max(\alpha z + \beta, 0), 1)"
    derivative = r"\alpha\,[0 < a < 1]"

    def numpy(self) -> str:
        return f"np.clip({self.alpha!r} * <Z> + {self.beta!r}, 0, 1)"

    def numpy_derivative(self) -> str:
        return f"{self.alpha!r} * ((<A> > 0) & (<A> < 1))"

    def kinks(self) -> tuple[float, ...]:
        return (-self.beta / self.alpha, (1 - self.beta) / self.alpha) if self.alpha else ()

    def steepest(self) -> float:
        return abs(self.alpha)

    def forward(self, Z: Array, A: Array) -> Op:
        alpha, beta, zero, one = (constant(value, Z) for value in (self.alpha, self.beta, 0, 1))

        def op() -> None:
            multiply(Z, alpha, A)
            add(A, beta, A)
            maximum(A, zero, out=A)
            minimum(A, one, out=A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        alpha, values = constant(self.alpha, A), real(A)

        def op() -> None:
            multiply(dA, alpha, dZ)
            multiply(dZ, (values > 0) & (values < 1), dZ)

        return op
