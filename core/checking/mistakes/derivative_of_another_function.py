"""derivative-of-another-function: sigmoid's derivative in a tanh layer, relu's in a leaky one."""

from __future__ import annotations

from typing import ClassVar

from core.activations import FUNCTIONS
from core.activations.base import Activation
from core.arrays import Array
from core.checking.layer_rules import through
from core.checking.mistakes.shared.derivative import WrongDerivative

COMMON = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus")
"""Functions whose derivative is often used by mistake."""


class DerivativeOfAnotherFunction(WrongDerivative):
    """g'(Z) where f'(Z) belongs, by the usual formula of g in terms of the layer's own z and a."""

    slug = "derivative-of-another-function"
    other: ClassVar[str]
    """g."""
    unseen = "both derivatives are equal at every number of this batch"

    def concerns(self, function: Activation) -> bool:
        return function.name != self.other

    def differentiated(self, function: Activation, Z: Array, A: Array, dA: Array) -> Array:
        return through(FUNCTIONS[self.other](), Z, A, dA)


_WRONG = r"\delta = g'(Z) \circ \frac{\partial L}{\partial A}, \quad g = \mathrm{$name}"


def _of(name: str) -> type[DerivativeOfAnotherFunction]:
    return type(
        f"DerivativeOf{name.title().replace('_', '')}",
        (DerivativeOfAnotherFunction,),
        {
            "other": name,
            "said": f"uses the derivative of {name}, although its activation function is $f",
            "wrong": _WRONG.replace("$name", name.replace("_", r"\_")),
            "why": f"The layer's activation function is $f, so its delta contains the derivative of $f, not of {name}.",
        },
    )


OTHERS = tuple(_of(name) for name in COMMON)
"""One for each function."""
