"""The equations of activation functions."""

from __future__ import annotations

import math

from core.activations.base import Activation
from core.equations.equation import Equation
from core.equations.layout import Layout


def in_layout(expression: str, layout: Layout) -> str:
    """An expression with the axes that this request has."""
    shape = layout.result
    size = math.prod(shape) // (shape[layout.examples(shape)] if shape else 1)
    texts = {"<axis>": str(layout.features(shape)), "<rest>": str(layout.but_examples(shape)), "<K>": str(size)}
    for placeholder, text in texts.items():
        expression = expression.replace(placeholder, text)
    return expression


def activation_equation(function: Activation, layout: Layout, reads: str = "Z", result: str = "A") -> Equation:
    """A = f(Z)."""
    numpy = in_layout(function.numpy(), layout).replace("<Z>", f"<{reads}>")
    how = "element by element" if function.elementwise else "for each example"
    because = f"The activation function, {how}: $a = {function.formula}$."
    return Equation(result, rf"{function.latex()}(<{reads}>)", numpy, because)


def why_backward(function: Activation) -> str:
    """The reason for the way back through a function."""
    if function.elementwise:
        return f"Chain rule; f acts element by element, so its Jacobian is diagonal: $f'(z) = {function.derivative}$."
    return f"Every result depends on its whole example: the Jacobian ${function.derivative}$, transposed, times ∂L/∂a."
