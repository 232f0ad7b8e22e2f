"""Transposed convolution: the computation of conv_transpose1d and conv_transpose2d.

It is the adjoint of a convolution over its result. What the convolution does on its way back is done here on the way there,
and the reverse: the result is raised, and ∂L/∂Z is lowered for ∂L/∂X and ∂L/∂W.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from core.arrays import Array, Op, Shape
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.convolution import as_images
from core.layers.shared.lowering import Lowering, Raising, by_rows, lowered_shape
from core.layers.shared.transposed_filters import TransposedFilters
from core.layers.shared.windows import Windows
from core.operations import CALL, ELEMENT, count, multiplication


@dataclass(frozen=True, slots=True, kw_only=True)
class TransposedConvolution(TransposedFilters):
    """Base of the transposed convolutions, which treat a sequence as an image of height 1."""

    operations_formula: ClassVar[str] = (
        "2 n (positions of the input) channels (filters / groups) (kernel elements), and 40 for each element of the "
        "lowered result"
    )

    def working_size(self, *inputs: Shape) -> int:
        (x,) = inputs
        return math.prod(self._lowered_shape(x)) + math.prod(x)

    def _lowered_shape(self, x: Shape) -> tuple[int, ...]:
        return lowered_shape(*self._read(x), self.filters, self.groups, x[0])

    def _read(self, x: Shape) -> tuple[Windows, Windows]:
        """Return the windows without the last rows of the result that are in none of them."""
        rows, columns = self.windows(x)
        return replace(rows, length=rows.length + min(rows.after, 0), after=max(rows.after, 0)), columns

    def _kernels(self, weight: Array) -> Array:
        """Return the weight as groups x channels x kernel height x kernel width x filters of a group."""
        return as_images(weight).reshape(self.groups, -1, *as_images(weight).shape[1:]).transpose(0, 1, 3, 4, 2)

    def _matrices(self, numbers: Array) -> Array:
        """Return the rows of the input: for each group, a matrix of channels x (width · n)."""
        return np.reshape(numbers, (len(numbers), self.groups, numbers.shape[1] // self.groups, -1), copy=False)

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        (x,) = inputs
        rows, columns = self.windows(x)
        inner, wide = rows.size * columns.size * self.filters // self.groups, columns.count * x[0]
        products = multiplication(x[1] // self.groups, inner, wide, self.groups)
        copied = self.working_size(x) + 2 * count(result)
        return rows.count * products + CALL * rows.length * (columns.size + 3) + 2 * ELEMENT * copied

    def forward(self, context: LayerContext) -> Ops:
        X, Z = by_rows(as_images(context.inputs[0])), by_rows(as_images(context.new_result()))
        kernels, b = self._kernels(context.parameters["weight"]), context.parameters.get("bias")
        W = context.saved["kernels"] = np.empty(kernels.shape, context.dtype)
        read = context.saved["read"] = X if X.flags.c_contiguous else np.empty(X.shape, context.dtype)
        result = Z if Z.flags.c_contiguous else np.empty(Z.shape, context.dtype)
        raising = Raising(
            *self.windows(context.inputs[0].shape), W.reshape(*W.shape[:3], -1), self._matrices(read), result
        )
        ops: list[Op] = [] if read is X else [partial(np.copyto, read, X)]
        ops += [partial(np.copyto, W, kernels), raising]
        if b is not None:
            ops.append(partial(np.add, result, b[:, None, None], result))
        return ops if result is Z else [*ops, partial(np.copyto, Z, result)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ = context.inputs, context.d_inputs, by_rows(as_images(context.d_result))
        memory = context.saved["lowered"] = np.zeros(self._lowered_shape(X.shape), context.dtype)
        windows, kernels = self._read(X.shape), self._kernels(context.gradients["weight"])
        lowering, rows = Lowering(*windows, memory), self._matrices(context.saved["read"])
        W = context.saved["kernels"].reshape(*kernels.shape[:2], -1)
        turned = W.swapaxes(1, 2).shape
        dW, product = np.empty(turned, context.dtype), np.empty(turned, context.dtype)  # Transposed: a quicker product.

        def correlate() -> None:
            dW.fill(0)
            for delta, row in zip(lowering.matrices, rows, strict=True):
                np.add(dW, np.matmul(delta, row.swapaxes(1, 2), out=product), dW)

        ops: list[Op] = [*lowering.fill(dZ[: windows[0].length]), correlate]
        ops.append(partial(np.copyto, kernels, dW.swapaxes(1, 2).reshape(kernels.shape, copy=False)))
        if (d_bias := context.gradients.get("bias")) is not None:
            ops.append(partial(np.sum, dZ, axis=(0, 2, 3), out=d_bias))
        if dX is not None:
            ops += self._sent_back(W, lowering, by_rows(as_images(dX)))
        return ops

    def _sent_back(self, W: Array, lowering: Lowering, dX: Array) -> list[Op]:
        """Return the operations that write ∂L/∂X, a convolution of the delta."""
        result = dX if dX.flags.c_contiguous else np.empty(dX.shape, dX.dtype)
        rows = self._matrices(result)

        def multiply() -> None:
            for delta, row in zip(lowering.matrices, rows, strict=True):
                np.matmul(W, delta, out=row)

        return [multiply] if result is dX else [multiply, partial(np.copyto, dX, result)]

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        X, read, W = context.inputs[0], context.saved["read"], context.saved["kernels"]
        lowering, n = Lowering(*self._read(X.shape), context.saved["lowered"]), len(X)
        found = np.zeros((n, *W.shape[:2], math.prod(W.shape[2:])), context.dtype)
        for delta, row in zip(lowering.matrices, self._matrices(read), strict=True):
            apart = [matrix.reshape(*matrix.shape[:2], -1, n).transpose(3, 0, 1, 2) for matrix in (row, delta)]
            found += np.matmul(apart[0], apart[1].swapaxes(2, 3))
        weight = np.empty((n, *context.parameters["weight"].shape), context.dtype)
        for kernel, gradient in zip(found, weight, strict=True):
            kernels = self._kernels(gradient)
            kernels[...] = kernel.reshape(kernels.shape)
        positions = tuple(range(2, context.d_result.ndim))
        gradients = {"weight": weight, "bias": context.d_result.sum(axis=positions)}
        return {name: gradients[name] for name in context.parameters}
