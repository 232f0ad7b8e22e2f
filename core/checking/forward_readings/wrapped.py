"""Layers that compute another function with the parameters of the layer that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.parameters import Parameter

ByName = Mapping[str, Array]

OWN = "own "
"""Before the name of a parameter under which a layer saves the values that it uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped(Layer):
    """Base of the layers that stand for one of the request and compute something near it."""

    kind: str = "wrapped"
    inner: Layer
    """The layer of the request."""

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        return self.inner.result_shape(*inputs, column=column)

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        return self.inner.parameters(*inputs)

    def derivation(self, layout: Layout) -> Derivation:
        """The equations of the request's layer, whose rules an answer quotes."""
        return self.inner.derivation(layout)

    def forward(self, context: LayerContext) -> Ops:
        return self.inner.forward(context)

    def backward(self, context: LayerContext) -> Ops:
        return self.inner.backward(context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reparametrised(Wrapped):
    """The layer with parameters θ' that are a function of those of the request, θ."""

    used: Callable[[ByName], ByName]
    """θ' from θ."""

    back: Callable[[ByName], ByName]
    """∂L/∂θ, or what a program takes for it, from ∂L/∂θ'."""

    def forward(self, context: LayerContext) -> Ops:
        own = self._context(context, {name: np.array(array) for name, array in self.used(context.parameters).items()})
        ops = list(self.inner.forward(own))
        context.value, context.saved = own.value, own.saved
        context.saved |= {f"{OWN}{name}": array for name, array in own.parameters.items()}

        def take() -> None:
            for name, array in self.used(context.parameters).items():
                np.copyto(own.parameters[name], array)

        return [take, *ops]

    def backward(self, context: LayerContext) -> Ops:
        parameters = {name[len(OWN) :]: array for name, array in context.saved.items() if name.startswith(OWN)}
        own = self._context(context, parameters)
        own.value, own.saved = context.value, context.saved
        own.d_result, own.d_inputs = context.d_result, context.d_inputs
        own.gradients = {name: np.empty_like(array) for name, array in parameters.items()}

        def give() -> None:
            for name, array in self.back(own.gradients).items():
                np.copyto(context.gradients[name], array)

        return [*self.inner.backward(own), give]

    def _context(self, context: LayerContext, parameters: dict[str, Array]) -> LayerContext:
        """The same arrays around the layer, with other parameters."""
        return LayerContext(
            context.sources,
            parameters,
            context.shape,
            context.dtype,
            name=context.name,
            position=context.position,
            column=context.column,
            state=context.state,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaled(Wrapped):
    """The layer, linear in what it reads, with its result times constants: Z' = c ∘ Z."""

    scale: Array
    """c, which broadcasts over the result."""

    def forward(self, context: LayerContext) -> Ops:
        ops = list(self.inner.forward(context))
        return [*ops, lambda: np.multiply(context.result, self.scale, context.result)]

    def backward(self, context: LayerContext) -> Ops:
        arriving, context.d_result = context.d_result, np.empty_like(context.d_result)
        passed = context.d_result
        ops = list(self.inner.backward(context))
        context.d_result = arriving
        return [lambda: np.multiply(arriving, self.scale, passed), *ops]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationOf(Wrapped):
    """An activation layer with a function that a request cannot name."""

    function: Activation

    def forward(self, context: LayerContext) -> Ops:
        Z = context.new_result()
        context.fresh = False
        return [self.function.forward(context.inputs[0], Z)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,) = context.inputs, context.d_inputs
        return [] if dX is None else [self.function.backward(X, context.result, context.d_result, dX)]
