"""derivative-formula-of-preactivation: the formula in a, given z."""

from __future__ import annotations

from core.activations.base import Activation
from core.arrays import Array
from core.checking.layer_rules import through
from core.checking.mistakes.shared.derivative import WrongDerivative


class DerivativeFormulaOfPreactivation(WrongDerivative):
    """1 − z² for tanh or z(1 − z) for sigmoid, where the formula is in terms of a."""

    slug = "derivative-formula-of-preactivation"
    said = "puts z into a formula for f' that is written in terms of a"
    wrong = r"\delta = f'(a \to z) \circ \frac{\partial L}{\partial A}"
    why = (
        "The short forms of the derivative, 1 − a² for tanh and a(1 − a) for sigmoid, are written in terms of the "
        "activation a. With z in place of a they are not the derivative: 1 − z² is negative where |z| > 1."
    )

    def concerns(self, function: Activation) -> bool:
        return function.reads == "result" and function.name in ("sigmoid", "tanh", "softmax")

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return through(function, Z, Z, dA)
