"""The equations of activation functions."""

from __future__ import annotations

import math

from core.activations.base import Activation
from core.equations.equation import Equation
from core.equations.layout import Layout


def in_layout(expression: str, layout: Layout) -> str:
    """Return an expression with the axes of this request in place of the placeholders."""
    shape = layout.result
    size = math.prod(shape) // (shape[layout.examples(shape)] if shape else 1)
    texts = {"<axis>": str(layout.features(shape)), "<rest>": str(layout.but_examples(shape)), "<K>": str(size)}
    for placeholder, text in texts.items():
        expression = expression.replace(placeholder, text)
    return expression


def activation_equation(function: Activation, layout: Layout, reads: str = "Z", result: str = "A") -> Equation:
    """Return the equation A = f(Z)."""
    numpy = in_layout(function.numpy(), layout).replace("<Z>", f"<{reads}>")
    how = "element by element" if function.elementwise else "for each example"
    because = f"The activation function, {how}: $a = {function.formula}$."
    return Equation(result, rf"{function.latex()}(<{reads}>)", numpy, because)


def why_backward(function: Activation) -> str:
    """Return the sentence that explains the backward pass through a function."""
    if function.elementwise:
        return f"Chain rule. f acts on each element, so its Jacobian is diagonal: $f'(z) = {function.derivative}$."
    return (
        rf"Each output depends on all inputs of its example: the transposed Jacobian ${function.derivative}$ times "
        rf"$\partial L / \partial a$."
    )
