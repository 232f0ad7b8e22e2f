"""Activation functions that a request cannot name: one applied twice, and gelu by tanh."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.activations.base import Activation
from core.activations.gelu import Gelu
from core.arrays import Array, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice(Activation):
    """A = f(f(Z)), as where a loss applies f to an output that f has already been applied to."""

    function: Activation
    """f."""

    name = "twice"
    reads = "preactivation"
    elementwise = False
    formula = r"f(f(z))"
    derivative = r"f'(f(z))\,f'(z)"

    def forward(self, Z: Array, A: Array) -> Op:
        once = np.empty_like(A)
        ops = [self.function.forward(Z, once), self.function.forward(once, A)]
        return lambda: [op() for op in ops]

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        once, d_once = np.empty_like(A), np.empty_like(A)
        ops = [
            self.function.forward(Z, once),
            self.function.backward(once, A, dA, d_once),
            self.function.backward(Z, once, d_once, dZ),
        ]
        return lambda: [op() for op in ops]


class GeluByTanh(Activation):
    """gelu with Φ approximated: A = ½ Z ∘ (1 + tanh u), u = √(2/π) (Z + 0.044715 Z³).

    dZ = dA ∘ (½ (1 + tanh u) + ½ Z ∘ (1 − tanh² u) ∘ u'),     u' = √(2/π) (1 + 0.134145 Z²)

    Source: Hendrycks & Gimpel, Gaussian Error Linear Units (2016), §2.
    """

    __slots__ = ()
    name = "gelu"
    reads = "preactivation"
    formula = Gelu.formula
    derivative = Gelu.derivative

    def numpy(self) -> str:
        return Gelu().numpy()

    def numpy_derivative(self) -> str:
        return Gelu().numpy_derivative()

    def forward(self, Z: Array, A: Array) -> Op:
        return lambda: np.multiply(0.5 * Z, 1 + np.tanh(_argument(Z)), A)

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        def op() -> None:
            t = np.tanh(_argument(Z))
            slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * Z * Z)
            np.multiply(dA, 0.5 * (1 + t) + 0.5 * Z * (1 - t * t) * slope, dZ)

        return op


def _argument(Z: Array) -> Array:
    return np.asarray(math.sqrt(2 / math.pi) * (Z + 0.044715 * Z**3))
