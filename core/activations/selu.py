"""selu: the self-normalising exponential linear unit."""

import math

import numpy as np
from numpy import add, exp, expm1, maximum, minimum, multiply

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant

SCALE = 1.0507009873554804934193349852946
ALPHA = 1.6732632423543772848170429916717


class Selu(Activation):
    """Scaled exponential linear unit; λ and α make zero mean and unit variance a fixed point.

        A  = λ (max(Z, 0) + α (e^min(Z, 0) − 1))
        dZ = λ dA where Z > 0, λ α e^Z ∘ dA elsewhere

    Source: Klambauer, Unterthiner, Mayr & Hochreiter, Self-Normalizing Neural Networks (2017), §2.
    """

    __slots__ = ()
    name = "selu"
    reads = "preactivation"
    formula = r"\lambda \begin{cases} z & z > 0 \\ \alpha (e^z - 1) & z \le 0 \end{cases}"
    derivative = r"\lambda \begin{cases} 1 & z > 0 \\ \alpha e^z & z \le 0 \end{cases}"

    def numpy(self) -> str:
        return f"{SCALE!r} * np.where(<Z> > 0, <Z>, {ALPHA!r} * np.expm1(np.minimum(<Z>, 0)))"

    def numpy_derivative(self) -> str:
        return f"{SCALE!r} * np.where(<Z> > 0, 1.0, {ALPHA!r} * np.exp(np.minimum(<Z>, 0)))"

    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    def steepest(self) -> float:
        return SCALE * ALPHA

    def image(self) -> Interval:
        return -SCALE * ALPHA, math.inf

    def inverse(self, A: Array) -> Array:
        return np.asarray(np.where(A > 0, A / SCALE, np.log1p(np.minimum(A, 0) / (SCALE * ALPHA))))

    def forward(self, Z: Array, A: Array) -> Op:
        zero, alpha, scale = constant(0, Z), constant(ALPHA, Z), constant(SCALE, Z)

        def op() -> None:
            minimum(Z, zero, out=A)
            expm1(A, A)
            multiply(A, alpha, A)
            add(A, maximum(Z, zero), A)
            multiply(A, scale, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        zero, scale, saturation = constant(0, Z), constant(SCALE, Z), constant(SCALE * ALPHA, Z)

        def op() -> None:
            minimum(Z, zero, out=dZ)
            exp(dZ, dZ)
            multiply(dZ, saturation, dZ)
            dZ[Z.real > 0] = scale
            multiply(dZ, dA, dZ)

        return op
