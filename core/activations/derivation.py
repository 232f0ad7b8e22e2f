"""The equations of activation functions."""

from __future__ import annotations

import math

from core.activations.base import Activation
from core.equations.equation import Equation
from core.equations.layout import Layout


def in_scene(expression: str, scene: Layout) -> str:
    """An expression with the axes that this request has."""
    shape = scene.result
    size = math.prod(shape) // (shape[scene.examples(shape)] if shape else 1)
    texts = {"<axis>": str(scene.features(shape)), "<rest>": str(scene.but_examples(shape)), "<K>": str(size)}
    for placeholder, text in texts.items():
        expression = expression.replace(placeholder, text)
    return expression


def activation_equation(function: Activation, scene: Layout, reads: str = "Z", result: str = "A") -> Equation:
    """A = f(Z)."""
    numpy = in_scene(function.numpy(), scene).replace("<Z>", f"<{reads}>")
    how = "element by element" if function.elementwise else "for each example"
    because = f"The activation function, {how}: $a = {function.formula}$."
    return Equation(result, rf"{function.latex()}(<{reads}>)", numpy, because)


def why_backward(function: Activation) -> str:
    """The reason for the way back through a function."""
    if function.elementwise:
        return f"Chain rule; f acts element by element, so its Jacobian is diagonal: $f'(z) = {function.derivative}$."
    return f"Every result depends on its whole example: the Jacobian ${function.derivative}$, transposed, times ∂L/∂a."
