"""A gain on the argument of an activation function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import multiply

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain(Activation):
    """f with its argument scaled by a constant c: the slope of a sigmoid, the inverse temperature of a softmax.

        A  = f(c Z)
        dZ = c f'(c Z) ∘ dA

    Source: Rojas, Neural Networks (1996), §7.1.1, for the sigmoid 1/(1 + e^(−c x)).
    """

    function: Activation
    """f, the function that is applied to the scaled argument."""

    gain: float
    """c, the scale of the argument."""

    name = "gain"
    reads = "preactivation"
    formula = r"f(c z)"
    derivative = r"c f'(c z)"

    def latex(self) -> str:
        return self.function.latex()

    def _scaled(self, expression: str) -> str:
        return expression.replace("<Z>", f"({self.gain!r} * <Z>)")

    def numpy(self) -> str:
        return self._scaled(self.function.numpy())

    def numpy_derivative(self) -> str:
        return f"{self.gain!r} * ({self._scaled(self.function.numpy_derivative())})"

    def numpy_backward(self) -> str:
        return f"{self.gain!r} * ({self._scaled(self.function.numpy_backward())})"

    def latex_backward(self) -> str:
        return (
            rf"{self.gain:g} \bigl( {self.function.latex_backward().replace('(<Z>)', rf'({self.gain:g} <Z>)')} \bigr)"
        )

    def kinks(self) -> tuple[float, ...]:
        return tuple(point / self.gain for point in self.function.kinks()) if self.gain else ()

    def steepest(self) -> float:
        return abs(self.gain) * self.function.steepest()

    @property
    def title(self) -> str:
        return f"{self.function.title} with gain {self.gain:g}"

    def image(self) -> Interval | None:
        return self.function.image() if self.gain else None

    def inverse(self, A: Array) -> Array:
        return np.asarray(self.function.inverse(A) / self.gain)

    def forward(self, Z: Array, A: Array) -> Op:
        gain, scaled = constant(self.gain, Z), np.empty_like(Z)
        apply = self.function.forward(scaled, A)

        def op() -> None:
            multiply(Z, gain, scaled)
            apply()

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        gain, scaled = constant(self.gain, Z), np.empty_like(Z)
        differentiate = self.function.backward(scaled, A, dA, dZ)

        def op() -> None:
            multiply(Z, gain, scaled)
            differentiate()
            multiply(dZ, gain, dZ)

        return op


class GainOverFeatures(Gain):
    """`Gain` for a function that runs over the features of each example."""

    __slots__ = ()
    elementwise = False


def with_gain(function: Activation, gain: float) -> Activation:
    """Return the function with its argument scaled."""
    kind = Gain if function.elementwise else GainOverFeatures
    return kind(function=function, gain=gain)
