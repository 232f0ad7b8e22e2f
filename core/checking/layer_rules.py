"""The rules of one layer as functions, which a check runs on arbitrary arrays.

A plan runs a whole network; a check runs each rule separately, on the numbers that the user's program had before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Shape, tensor_memory
from core.errors import Refusal
from core.layer_context import LayerContext, Value
from core.network import Node


@dataclass(frozen=True, slots=True)
class Backward:
    """The gradients that one layer's rules compute from its delta."""

    inputs: Sequence[Array]
    """The gradients of the tensors that the layer reads, in their order."""

    parameters: Mapping[str, Array]
    """∂L/∂(parameter), without l2."""


class LayerRules:
    """A layer that computes with the arrays passed to it. Returned arrays are never written to again.

    A check runs rules on whatever a program has computed. Where a layer refuses that, such as the logarithm of a matrix
    with a negative eigenvalue, the result is NaN, which agrees with nothing.
    """

    def __init__(
        self,
        node: Node,
        shapes: Sequence[Shape],
        parameters: Mapping[str, Array],
        state: Mapping[str, Array],
        *,
        dtype: np.dtype[Any],
        column: bool,
    ) -> None:
        self.node = node
        self.parameters = {name: array.astype(dtype) for name, array in parameters.items()}
        self._context = LayerContext(
            sources=tuple(Value(tensor_memory(shape, dtype)) for shape in shapes),
            parameters=self.parameters,
            shape=node.shape,
            dtype=dtype,
            name=node.name,
            position=node.position,
            column=column,
            state={name: array.astype(dtype) for name, array in state.items()},
        )
        self._forward = list(node.layer.forward(self._context))
        self._backward: list[Any] | None = None
        self._read: Sequence[Array] = ()
        self._refused = False

    @property
    def reported(self) -> Mapping[str, Array]:
        """The values that the layer reports besides its result, such as the mask of a dropout."""
        return self._context.reported

    @property
    def function(self) -> Activation:
        """The activation function of the layer."""
        return self.node.function

    def result(self, inputs: Sequence[Array]) -> Array:
        """Return Z, the layer's result before its activation."""
        self._run(inputs)
        return np.full_like(self._context.result, np.nan) if self._refused else self._context.result.copy()

    def backward(self, inputs: Sequence[Array], delta: Array) -> Backward:
        """Return the gradients of the layer's inputs and parameters, from ∂L/∂Z."""
        context = self._context
        if self._backward is None:
            context.d_result = tensor_memory(self.node.shape, context.dtype)
            context.d_inputs = [tensor_memory(source.array.shape, context.dtype) for source in context.sources]
            context.gradients = {name: np.empty(array.shape, array.dtype) for name, array in self.parameters.items()}
            self._backward = list(self.node.layer.backward(context))
        self._run(inputs)
        np.copyto(context.d_result, delta)
        try:
            for op in () if self._refused else self._backward:
                op()
        except Refusal:
            self._refused, self._read = True, ()
        if context.saved:  # A backward pass may overwrite the arrays that the forward pass saved.
            self._read = ()
        copy = _unknown if self._refused else np.copy
        found = [copy(array) for array in context.d_inputs if array is not None]
        return Backward(found, {name: copy(array) for name, array in context.gradients.items()})

    def saved(self, inputs: Sequence[Array]) -> dict[str, Array]:
        """Return the arrays that the layer saves in a forward run: x̂ of a normalisation, the mask of a dropout."""
        self._run(inputs)
        return {name: array.copy() for name, array in self._context.saved.items()}

    def _run(self, inputs: Sequence[Array]) -> None:
        """Compute the result, unless the inputs are the last ones: arrays are never written to, so they are unchanged."""
        if len(self._read) == len(inputs) and all(one is other for one, other in zip(self._read, inputs, strict=True)):
            return
        self._read = ()
        for symmetrised in (False, True):
            for source, array in zip(self._context.sources, inputs, strict=True):
                np.copyto(source.array, _symmetrised(array) if symmetrised else array)
            try:
                for op in self._forward:
                    op()
            except Refusal:
                self._refused = True
            else:
                self._refused = False
                self._read = list(inputs)
                return


def _symmetrised(array: Array) -> Array:
    """Return (X + Xᵀ)/2 of square matrices, which rounding leaves a little unsymmetric, and other arrays as they are."""
    square = array.ndim > 1 and array.shape[-1] == array.shape[-2]
    return np.asarray((array + np.swapaxes(array, -1, -2)) / 2) if square else array


def _unknown(array: Array) -> Array:
    return np.full_like(array, np.nan)


def activate(function: Activation, Z: Array) -> Array:
    """Return A = f(Z)."""
    A = np.array(Z)
    if not function.is_identity:
        function.forward(np.array(Z), A)()
    return A


def through(function: Activation, Z: Array, A: Array, dA: Array) -> Array:
    """Return ∂L/∂Z from ∂L/∂A: f'(Z) ∘ dA, or the transposed Jacobian of f times dA."""
    if function.is_identity:
        return np.array(dA)
    dZ = np.empty_like(np.asarray(Z))
    function.backward(np.array(Z), np.array(A), np.array(dA), dZ)()
    return dZ
