"""default-constant-of-activation: the derivative with another constant than the forward pass."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from core.activations.base import Activation
from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.derivative import WrongDerivative


def _with_defaults(function: Activation) -> Activation | None:
    """Return f with the default of every constant; None if it has no constants, or no others."""
    constants = [field for field in fields(function) if isinstance(field.default, float)]
    if all(getattr(function, field.name) == field.default for field in constants):
        return None
    return type(function)()


class DefaultConstant(WrongDerivative):
    """f' with the default α or slope, where the layer has its own."""

    slug = "default-constant-of-activation"
    said = "contains the derivative of $f with the default constant instead of the layer's own"
    wrong = r"\delta = f'_{\text{default}}(Z) \circ \frac{\partial L}{\partial A}"
    why = (
        "The constant of $f (its alpha, or its slope for negative z) is part of the function, so the derivative "
        "contains the same constant as the forward pass."
    )
    unseen = "no z is on the side of the function where the constant counts"

    def concerns(self, function: Activation) -> bool:
        return _with_defaults(function) is not None

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        other = _with_defaults(function) or function
        return through(other, Z, activate(other, Z), dA)


class DefaultConstantInFormula(DefaultConstant):
    """f' of elu as a + 1, where it is a + α."""

    wrong = r"\delta = (A + 1) \circ \frac{\partial L}{\partial A} \quad \text{for } z < 0"

    def concerns(self, function: Activation) -> bool:
        return super().concerns(function) and function.name == "elu"

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return np.asarray(np.where(Z > 0, 1.0, A + 1) * dA)


class ActivationInsteadOfDerivative(WrongDerivative):
    """f(Z) where f'(Z) belongs."""

    slug = "activation-instead-of-derivative"
    said = "is multiplied by the activation f(z) instead of its derivative f'(z)"
    wrong = r"\delta = f(Z) \circ \frac{\partial L}{\partial A}"
    why = "By the chain rule ∂L/∂A is multiplied by ∂a/∂z, the derivative of $f at z, not by the value of $f."
    unseen = "f(z) and f'(z) are equal here"

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return A * dA


CONSTANTS: tuple[type[Mistake], ...] = (
    DefaultConstant,
    DefaultConstantInFormula,
    ActivationInsteadOfDerivative,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
