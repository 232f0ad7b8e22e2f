"""derivative-of-another-function: sigmoid's derivative in a tanh layer, relu's in a leaky one."""

from __future__ import annotations

from typing import ClassVar

from core.activations import FUNCTIONS
from core.activations.base import Activation
from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.checking.mistakes.shared.derivative import WrongDerivative

COMMON = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus")
"""Functions whose derivative is often used by mistake."""

ODD = ("identity", "tanh", "relu", "leaky_relu", "elu", "selu", "sin", "softsign")
"""Functions whose sign is that of z where it counts."""


class DerivativeOfAnotherFunction(WrongDerivative):
    """g'(Z) where f'(Z) belongs."""

    slug = "derivative-of-another-function"
    other: ClassVar[str]
    """g."""
    unseen = "both derivatives are equal at every number of this batch"

    def concerns(self, function: Activation) -> bool:
        return function.name != self.other and function.elementwise

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        other = FUNCTIONS[self.other]()
        return through(other, Z, activate(other, Z), dA)


class FormulaOfAnotherFunction(DerivativeOfAnotherFunction):
    """The same by the formula of g' in terms of the activation, with the layer's own a in it: a(1 − a) in a tanh layer.

    Of a rectifier this is the mask [a > 0], which is [z > 0] unless f is positive for negative z.
    """

    def concerns(self, function: Activation) -> bool:
        rectifies = FUNCTIONS[self.other].rectifies
        return super().concerns(function) and not (rectifies and function.name in ODD)

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        other = FUNCTIONS[self.other]()
        return through(other, A, activate(other, A) if other.rectifies else A, dA)


_WRONG = r"\delta = g'(Z) \circ \frac{\partial L}{\partial A}, \quad g = \mathrm{$name}"


def _of(name: str, base: type[DerivativeOfAnotherFunction]) -> type[DerivativeOfAnotherFunction]:
    return type(
        f"{base.__name__.split('Of')[0]}Of{name.title().replace('_', '')}",
        (base,),
        {
            "__doc__": base.__doc__,
            "other": name,
            "said": f"uses the derivative of {name}, although its activation function is $f",
            "wrong": _WRONG.replace("$name", name.replace("_", r"\_")),
            "why": f"The layer's activation function is $f, so its delta contains the derivative of $f, not of {name}.",
        },
    )


OTHERS = (
    *(_of(name, DerivativeOfAnotherFunction) for name in COMMON),
    *(
        _of(name, FormulaOfAnotherFunction)
        for name in COMMON
        if FUNCTIONS[name].reads == "result" or FUNCTIONS[name].rectifies
    ),
)
"""One for each function and each form of its derivative."""
