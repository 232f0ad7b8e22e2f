"""scale: a factor and a shift for each position along chosen axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.layers.shared.along import Along, along
from core.parameters import Parameter
from core.spec import WholeNumber, constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Layer):
    """Elementwise affine function: a factor γ and a shift β for each position along chosen axes, the same for all others.

        Forward    Z  = γ ∘ X + β
        Backward   dX = γ ∘ dZ
                   dγ = Σ dZ ∘ X             over the axes along which γ does not vary
                   dβ = Σ dZ

    γ and β have the lengths of X along `axes`; without axes they are one number, of shape (1,). X and Z have the same shape.

    Source: Ioffe & Szegedy, Batch Normalization (2015), §3, for γ and β; constant operands of Mul and Add in files.
    """

    kind: Literal["scale"] = "scale"

    axes: list[WholeNumber] | None = field(default=None, metadata=constraints(max_length=7, examples=[[1]]))
    """Axes along which γ and β vary, counted batch-first in every convention, where axis 0 is that of the examples and not
    among them; negative ones from the end. Default: the features, which are the last axis."""

    gamma: bool = field(default=True, metadata=constraints())
    """Whether there is a factor γ; otherwise it is 1."""

    beta: bool = field(default=True, metadata=constraints())
    """Whether there is a shift β; otherwise it is 0."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = gamma * A + beta"}

    def along(self, shape: Shape) -> Along:
        """Return the place of γ and β in what the layer reads."""
        return along("scale", [-1] if self.axes is None else self.axes, shape)

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if not self.gamma and not self.beta:
            misfit("scale has a factor gamma, a shift beta, or both; it was given neither.", "gamma")
        self.along(x)
        return x

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        shape = self.along(inputs[0]).parameter_shape
        gamma = {"gamma": Parameter(shape=shape, initial="ones")} if self.gamma else {}
        return gamma | ({"beta": Parameter(shape=shape)} if self.beta else {})

    def derivation(self, layout: Layout) -> Derivation:
        place = self.along(layout.core_shape(layout.inputs[0]))
        X, dZ = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result)
        gamma, beta = place.written("gamma"), place.written("beta")
        latex = (r"<gamma> \circ <X>" if self.gamma else "<X>") + (" + <beta>" if self.beta else "")
        scaled = f"{gamma} * {X}" if self.gamma else X
        forward = layout.sent(f"{scaled} + {beta}" if self.beta else scaled, layout.result)
        backward = []
        if self.gamma:
            because = r"$\partial z / \partial \gamma = x$, summed over all numbers that have the same $\gamma$."
            backward.append(
                Equation("d_gamma", r"\textstyle\sum <dZ> \circ <X>", place.written_sums(f"{dZ} * {X}"), because)
            )
        if self.beta:
            because = r"$\partial z / \partial \beta = 1$, summed over all numbers that have the same $\beta$."
            backward.append(Equation("d_beta", r"\textstyle\sum <dZ>", place.written_sums(dZ), because))
        passed = layout.sent(f"{gamma} * {dZ}" if self.gamma else f"{dZ} * 1.0", layout.inputs[0])
        backward.append(
            Equation(
                "dX",
                r"<gamma> \circ <dZ>" if self.gamma else "<dZ>",
                passed,
                r"$\partial z / \partial x = \gamma$." if self.gamma else r"$\partial z / \partial x = 1$.",
            )
        )
        because = r"Element by element: $\gamma$ scales and $\beta$ shifts what stands at its positions."
        return Derivation([Equation("Z", latex, forward, because)], backward)

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z, place = context.inputs, context.new_result(), self.along(context.shape)
        spread = {name: place.spread(array) for name, array in context.parameters.items()}
        if not self.gamma:
            return [partial(np.add, X, spread["beta"], Z)]
        ops: list[Op] = [partial(np.multiply, X, spread["gamma"], Z)]
        return [*ops, partial(np.add, Z, spread["beta"], Z)] if self.beta else ops

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ, place = context.inputs, context.d_inputs, context.d_result, self.along(context.shape)
        ops: list[Op] = []
        if self.gamma:
            d_gamma = context.gradients["gamma"]
            ops.append(lambda: np.copyto(d_gamma, place.sums(dZ * X)))
        if self.beta:
            d_beta = context.gradients["beta"]
            ops.append(lambda: np.copyto(d_beta, place.sums(dZ)))
        if dX is None:
            return ops
        if self.gamma:
            return [*ops, partial(np.multiply, dZ, place.spread(context.parameters["gamma"]), dX)]
        return [*ops, partial(np.copyto, dX, dZ)]

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        (X,), dZ, place = context.inputs, context.d_result, self.along(context.shape)
        terms = ({"gamma": dZ * X} if self.gamma else {}) | ({"beta": dZ} if self.beta else {})
        return {name: place.sums_by_example(each) for name, each in terms.items()}
