"""leaky_relu: a rectifier with a small slope on the negative side."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy import copyto, multiply

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant
from core.operations import ELEMENT
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakyRelu(Activation):
    """Leaky rectified linear unit with slope s on the negative side.

        A  = Z where Z > 0, s Z elsewhere
        dZ = dA where Z > 0, s dA elsewhere

    Source: Maas, Hannun & Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013).
    """

    negative_slope: float = field(default=0.01, metadata=constraints())
    """Slope s of the negative side."""

    name = "leaky_relu"
    rectifies = True
    reads = "preactivation"
    operations = 4 * ELEMENT
    formula = r"\begin{cases} z & z > 0 \\ s z & z \le 0 \end{cases}"
    derivative = r"\begin{cases} 1 & z > 0 \\ s & z \le 0 \end{cases}"

    def numpy(self) -> str:
        return f"np.where(<Z> > 0, <Z>, {self.negative_slope!r} * <Z>)"

    def numpy_derivative(self) -> str:
        return f"np.where(<Z> > 0, 1.0, {self.negative_slope!r})"

    def kinks(self) -> tuple[float, ...]:
        return () if self.negative_slope == 1 else (0.0,)

    def image(self) -> Interval | None:
        return (-math.inf, math.inf) if self.negative_slope > 0 else None

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.where(A > 0, A, A / self.negative_slope))

    def forward(self, Z: Array, A: Array) -> Op:
        slope = constant(self.negative_slope, Z)

        def op() -> None:
            multiply(Z, slope, A)
            copyto(A, Z, where=Z.real > 0)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        slope = constant(self.negative_slope, Z)

        def op() -> None:
            multiply(dA, slope, dZ)
            copyto(dZ, dA, where=Z.real > 0)

        return op
