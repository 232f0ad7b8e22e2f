"""prelu: a rectifier whose slope on the negative side is a parameter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape, real
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.along import Along, along
from core.parameters import Parameter
from core.spec import WholeNumber, constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Prelu(Layer):
    """Parametric rectifier: the slope s of the negative side is a parameter.

        Forward    Z  = X where X > 0, s ∘ X elsewhere
        Backward   dX = dZ where X > 0, s ∘ dZ elsewhere          s at the kink x = 0, as in torch
                   ds = Σ dZ ∘ min(X, 0)                          over the axes along which s does not vary

    s has the lengths of X along `axes`; without axes it is one number, of shape (1,). It starts at 0, as in Keras; in torch
    it starts at 0.25. X and Z have the same shape.

    Source: He, Zhang, Ren & Sun, Delving Deep into Rectifiers (2015), §2.1; torch.nn.PReLU with weight s.
    """

    kind: Literal["prelu"] = "prelu"

    axes: list[WholeNumber] = field(default_factory=list, metadata=constraints(max_length=7, examples=[[1]]))
    """Axes along which the slope varies, counted batch-first in every convention, where axis 0 is that of the examples and
    not among them; negative ones from the end. [1] has a slope for each channel. Default: none, one slope for all."""

    has_kinks: ClassVar[bool] = True
    equations: ClassVar[dict[str, str]] = {"any": "Z = A where A > 0, negative_slope * A elsewhere"}

    def along(self, shape: Shape) -> Along:
        """Return the place of the slope in what the layer reads."""
        return along("prelu", self.axes, shape)

    def rectifies_input(self) -> bool:
        return True

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        self.along(inputs[0])
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        return {"negative_slope": Parameter(shape=self.along(inputs[0]).parameter_shape)}

    def derivation(self, layout: Layout) -> Derivation:
        place = self.along(layout.core_shape(layout.inputs[0]))
        X, dZ, s = (
            layout.core("<X>", layout.inputs[0]),
            layout.core("<dZ>", layout.result),
            place.written("negative_slope"),
        )
        return Derivation(
            [
                Equation(
                    "Z",
                    r"\max(<X>, 0) + <negative_slope> \circ \min(<X>, 0)",
                    layout.sent(f"np.where({X} > 0, {X}, {s} * {X})", layout.result),
                    "Element by element: positive numbers pass, others are multiplied by the slope.",
                )
            ],
            [
                Equation(
                    "d_negative_slope",
                    r"\textstyle\sum <dZ> \circ \min(<X>, 0)",
                    place.written_sums(f"{dZ} * np.minimum({X}, 0)"),
                    r"$\partial z / \partial s = x$ where $x \le 0$ and 0 elsewhere, summed over all that share $s$.",
                ),
                Equation(
                    "dX",
                    r"\bigl([<X> > 0] + <negative_slope> \circ [<X> \le 0]\bigr) \circ <dZ>",
                    layout.sent(f"np.where({X} > 0, 1.0, {s}) * {dZ}", layout.inputs[0]),
                    r"$\partial z / \partial x = 1$ where $x > 0$, $s$ elsewhere.",
                ),
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        slope = self.along(X.shape).spread(context.parameters["negative_slope"])

        def op() -> None:
            np.multiply(X, slope, Z)
            np.copyto(Z, X, where=real(X) > 0)

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ, d_slope = (
            context.inputs,
            context.d_inputs,
            context.d_result,
            context.gradients["negative_slope"],
        )
        place = self.along(X.shape)
        slope = place.spread(context.parameters["negative_slope"])
        ops: list[Op] = [lambda: np.copyto(d_slope, place.sums(_by_slope(dZ, X)))]
        if dX is None:
            return ops

        def op() -> None:
            np.multiply(dZ, slope, dX)
            np.copyto(dX, dZ, where=real(X) > 0)

        return [*ops, op]

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        (X,) = context.inputs
        return {"negative_slope": self.along(X.shape).sums_by_example(_by_slope(context.d_result, X))}


def _by_slope(dZ: Array, X: Array) -> Array:
    """Return ∂L/∂s at every number: dZ ∘ min(X, 0)."""
    return np.asarray(dZ * np.where(real(X) > 0, 0, X))
