"""elu: the exponential linear unit."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy import copyto, exp, expm1, minimum, multiply

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Elu(Activation):
    """Exponential linear unit.

        A  = Z where Z > 0, α (e^Z − 1) elsewhere
        dZ = dA where Z > 0, α e^Z ∘ dA elsewhere

    Source: Clevert, Unterthiner & Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units (2016).
    """

    alpha: float = field(default=1.0, metadata=constraints())
    """α: the unit saturates at −α."""

    name = "elu"
    reads = "preactivation"
    formula = r"\begin{cases} z & z > 0 \\ \alpha (e^z - 1) & z \le 0 \end{cases}"
    derivative = r"\begin{cases} 1 & z > 0 \\ \alpha e^z & z \le 0 \end{cases}"

    def numpy(self) -> str:
        return f"np.where(<Z> > 0, <Z>, {self.alpha!r} * np.expm1(np.minimum(<Z>, 0)))"

    def numpy_derivative(self) -> str:
        return f"np.where(<Z> > 0, 1.0, {self.alpha!r} * np.exp(np.minimum(<Z>, 0)))"

    def kinks(self) -> tuple[float, ...]:
        return () if self.alpha == 1 else (0.0,)

    def steepest(self) -> float:
        return 1.0

    def image(self) -> Interval | None:
        return (-self.alpha, math.inf) if self.alpha > 0 else None

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.where(A > 0, A, np.log1p(np.minimum(A, 0) / self.alpha)))

    def forward(self, Z: Array, A: Array) -> Op:
        alpha, zero = constant(self.alpha, Z), constant(0, Z)

        def op() -> None:
            minimum(Z, zero, out=A)
            copyto(A, Z, where=Z.real == 0)  # minimum would compare imaginary parts there, and lose a complex step.
            expm1(A, A)
            multiply(A, alpha, A)
            copyto(A, Z, where=Z.real > 0)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        alpha, zero = constant(self.alpha, Z), constant(0, Z)

        def op() -> None:
            minimum(Z, zero, out=dZ)
            exp(dZ, dZ)
            multiply(dZ, alpha, dZ)
            multiply(dZ, dA, dZ)
            copyto(dZ, dA, where=Z.real > 0)

        return op
