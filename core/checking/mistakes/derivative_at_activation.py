"""derivative-at-activation: f' of a instead of f' of z."""

from __future__ import annotations

from core.activations.base import Activation
from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.checking.mistakes.shared.derivative import WrongDerivative


class DerivativeAtActivation(WrongDerivative):
    """f'(A) instead of f'(Z): `f_prime` is called with the activation."""

    slug = "derivative-at-activation"
    said = "evaluates the derivative of its activation function at a instead of z"
    wrong = r"\delta = f'(A) \circ \frac{\partial L}{\partial A}"
    why = (
        "f' is a function of the preactivation z. For sigmoid, a(1 − a) is already f'(z); a function that computes "
        "σ(x)(1 − σ(x)) has to be called with z, not with a. The two values are close, so training still works and "
        "hides the mistake."
    )
    unseen = "f'(a) and f'(z) are equal here, as they always are for relu"

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return through(function, A, activate(function, A), dA)
