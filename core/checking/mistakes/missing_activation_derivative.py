"""missing-activation-derivative: the delta has no f'(z)."""

from __future__ import annotations

from core.activations.base import Activation
from core.arrays import Array
from core.checking.mistakes.shared.derivative import WrongDerivative


class MissingActivationDerivative(WrongDerivative):
    """Δ = ∂L/∂A instead of f'(Z) ∘ ∂L/∂A."""

    slug = "missing-activation-derivative"
    said = "lacks the derivative of its activation function, f'(z)"
    wrong = r"\delta = \frac{\partial L}{\partial A}"
    why = (
        "A is f(Z), so by the chain rule ∂L/∂Z is ∂L/∂A times f'(Z), element by element. Only where the loss is "
        "fused with the activation (cross-entropy after softmax, binary cross-entropy after sigmoid) does the delta "
        "have no f'(z)."
    )
    unseen = "f'(z) is 1 for every number that counts here"

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return dA
