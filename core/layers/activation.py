"""activation: an activation function as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from core.activations import FUNCTIONS, Activation
from core.activations.choice import CONSTANTS, FunctionName, resolve
from core.activations.derivation import activation_equation, in_layout, why_backward
from core.arrays import Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.symbols import OPERAND
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.operations import CALL, count
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationLayer(Layer):
    """An activation function as a layer of its own.

        Forward    Z  = f(X)                  the shape of X
        Backward   dX = f'(X) ∘ dZ            elementwise f
                   dX = J_f(X)ᵀ dZ            softmax, log_softmax: for each example

    The layer's delta is ∂L/∂Z, the gradient with respect to the *result* of f. X and Z have the same shape.

    Source: softmax as a layer, Bishop, Pattern Recognition and Machine Learning (2006), §4.3.4.
    """

    kind: Literal["activation"] = "activation"

    function: FunctionName
    """Name of the function f."""

    gain: float = field(default=1.0, metadata=constraints())
    """Scale of the argument, f(gain · x): the slope of a sigmoid, the inverse temperature of a softmax."""

    negative_slope: float | None = field(default=None, metadata=constraints())
    """Slope of leaky_relu for negative arguments. Default 0.01."""

    alpha: float | None = field(default=None, metadata=constraints())
    """Scale of elu for negative arguments (default 1), or slope of hard_sigmoid (default 1/6)."""

    beta: float | None = field(default=None, metadata=constraints())
    """Value of hard_sigmoid at 0. Default 0.5."""

    lower: float | None = field(default=None, metadata=constraints())
    """Least value of clip. Default: none."""

    upper: float | None = field(default=None, metadata=constraints())
    """Largest value of clip. Default: none."""

    exponent: float | None = field(default=None, metadata=constraints())
    """Exponent of power. Default 2."""

    is_invertible: ClassVar[bool] = True
    operations_formula: ClassVar[str] = "150 elements, less for a function without exp"

    def function_of_input(self) -> Activation:
        """Return f with its constants."""
        return resolve(self.function, self.gain, {name: getattr(self, name) for name in CONSTANTS})

    def rectifies_input(self) -> bool:
        return FUNCTIONS[self.function].rectifies

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        if not self.function_of_input().elementwise and len(inputs[0]) < 2:
            misfit(
                f"{self.function} runs over the features of each example; it reads a tensor of shape {list(inputs[0])}."
            )
        return inputs[0]

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        return CALL + self.function_of_input().operations * count(result)

    def derivation(self, layout: Layout) -> Derivation:
        function = self.function_of_input()
        renamed = {"Z": "X", "A": "Z", "dA": "dZ"}

        def of_layer(expression: str) -> str:
            return OPERAND.sub(lambda match: f"<{renamed.get(match[1], match[1])}>", expression)

        back = in_layout(function.numpy_backward(), layout)
        return Derivation(
            [activation_equation(function, layout, reads="X", result="Z")],
            [Equation("dX", of_layer(function.latex_backward()), of_layer(back), why_backward(function))],
        )

    def forward(self, context: LayerContext) -> Ops:
        Z = context.new_result()
        context.fresh = False  # f' may be formed from Z, so the layer's own activation is not computed in its place.
        return [self.function_of_input().forward(context.inputs[0], Z)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,) = context.inputs, context.d_inputs
        return [] if dX is None else [self.function_of_input().backward(X, context.result, context.d_result, dX)]
