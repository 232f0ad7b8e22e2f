"""power: each element raised to a constant exponent."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy import multiply

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Power(Activation):
    """Power with a constant exponent p.

        A  = Z^p
        dZ = p Z^(p−1) ∘ dA            0 for p = 0

    A negative number has no power with a fractional exponent, and 0 none with a negative one: both are refused as
    non-finite. So is the derivative at 0 for 0 < p < 1, which is infinite.
    """

    exponent: float = field(default=2.0, metadata=constraints())
    """Exponent p."""

    name = "power"
    reads = "preactivation"
    formula = r"z^p"
    derivative = r"p\,z^{p-1}"

    def numpy(self) -> str:
        return f"<Z>**{self._written(self.exponent)}"

    def numpy_derivative(self) -> str:
        if self.exponent == 0:
            return "np.zeros_like(<Z>)"
        return f"{self.exponent!r} * <Z>**{self._written(self.exponent - 1)}"

    def _written(self, exponent: float) -> str:
        return repr(exponent) if exponent >= 0 else f"({exponent!r})"

    def image(self) -> Interval | None:
        if not float(self.exponent).is_integer():
            return 0.0, math.inf
        return (-math.inf, math.inf) if self.exponent > 0 and self.exponent % 2 == 1 else None

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.copysign(np.abs(A) ** (1 / self.exponent), A))

    def forward(self, Z: Array, A: Array) -> Op:
        exponent = constant(self.exponent, Z)
        return lambda: np.power(Z, exponent, out=A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        if self.exponent == 0:
            return lambda: dZ.fill(0)
        factor, less = constant(self.exponent, Z), constant(self.exponent - 1, Z)

        def op() -> None:
            np.power(Z, less, out=dZ)
            multiply(dZ, factor, dZ)
            multiply(dZ, dA, dZ)

        return op
