"""Convolution: the computation of conv1d and conv2d."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from core.arrays import Array, Op, Shape
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.filters import Filters
from core.layers.shared.lowering import Lowering, Raising, by_rows, lowered_shape
from core.operations import CALL, ELEMENT, count, multiplication


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(Filters):
    """Base of the convolutions, which treat a sequence as an image of height 1."""

    operations_formula: ClassVar[str] = (
        "2 n (positions of the result) filters (channels / groups) (kernel elements), and 40 for each element of the "
        "lowered images"
    )

    def working_size(self, *inputs: Shape) -> int:
        (x,) = inputs
        return math.prod(lowered_shape(*self.windows(x), x[1], self.groups, x[0])) + math.prod(x)

    def _lowering(self, x: Shape, memory: Array) -> Lowering:
        return Lowering(*self.windows(x), memory)

    def _kernels(self, weight: Array) -> Array:
        """Return the weight as groups x filters x kernel height x kernel width x channels; convolution rotates it."""
        kernels = as_images(weight).reshape(self.groups, -1, *as_images(weight).shape[1:]).transpose(0, 1, 3, 4, 2)
        return kernels if self.mode == "cross_correlation" else kernels[:, :, ::-1, ::-1]

    def _matrices(self, result: Array) -> Array:
        """Return the rows of the result: for each group, a matrix of filters x (width · n)."""
        return np.reshape(result, (len(result), self.groups, self.filters // self.groups, -1), copy=False)

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        (x,) = inputs
        rows, columns = self.windows(x)
        # One product for each row of the result and each group.
        inner, wide = rows.size * columns.size * x[1] // self.groups, columns.count * x[0]
        products = multiplication(self.filters // self.groups, inner, wide, self.groups)
        copied = self.working_size(x) + 2 * count(result)
        return rows.count * products + CALL * (columns.size + 4) + 2 * ELEMENT * copied

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        rows, columns = self.windows(inputs[0])
        each = CALL * (rows.length * (columns.size + 3) + 3 * rows.count)
        return 2 * self.operations(*inputs, result=result, column=column) + each

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z, b = context.inputs, by_rows(as_images(context.new_result())), context.parameters.get("bias")
        shape = lowered_shape(*self.windows(X.shape), X.shape[1], self.groups, X.shape[0])
        memory = context.saved["lowered"] = np.zeros(shape, context.dtype)
        lowering, kernels = self._lowering(X.shape, memory), self._kernels(context.parameters["weight"])
        W = context.saved["kernels"] = np.empty((*kernels.shape[:2], math.prod(kernels.shape[2:])), context.dtype)
        result = Z if Z.flags.c_contiguous else np.empty(Z.shape, context.dtype)
        rows = self._matrices(result)

        def multiply() -> None:
            for read, row in zip(lowering.matrices, rows, strict=True):
                np.matmul(W, read, out=row)

        ops: list[Op] = [
            *lowering.fill(by_rows(as_images(X))),
            partial(np.copyto, W.reshape(kernels.shape), kernels),
            multiply,
        ]
        if b is not None:
            ops.append(partial(np.add, result, b[:, None, None], result))
        return ops if result is Z else [*ops, partial(np.copyto, Z, result)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ = context.inputs, context.d_inputs, by_rows(as_images(context.d_result))
        lowering, W = self._lowering(X.shape, context.saved["lowered"]), context.saved["kernels"]
        delta = context.saved["delta"] = dZ if dZ.flags.c_contiguous else np.empty(dZ.shape, context.dtype)
        rows, turned = self._matrices(delta), W.swapaxes(1, 2).shape
        dW, product = np.empty(turned, context.dtype), np.empty(turned, context.dtype)  # Transposed: a quicker product.
        ones, db = np.ones(rows.shape[-1], context.dtype), np.empty(rows.shape[1:3], context.dtype)
        kernels, d_bias = self._kernels(context.gradients["weight"]), context.gradients.get("bias")

        def correlate() -> None:
            dW.fill(0)
            db.fill(0)
            for read, row in zip(lowering.matrices, rows, strict=True):
                np.matmul(read, row.swapaxes(1, 2), out=product)
                np.add(dW, product, dW)
                if d_bias is not None:
                    np.add(db, np.matmul(row, ones), db)  # The sum of the row, which is still in the cache.

        ops: list[Op] = [] if delta is dZ else [partial(np.copyto, delta, dZ)]
        ops += [correlate, partial(np.copyto, kernels, dW.swapaxes(1, 2).reshape(kernels.shape, copy=False))]
        if d_bias is not None:
            ops.append(partial(np.copyto, d_bias, db.reshape(-1)))
        if dX is not None:
            rows_of_W = W.reshape(*kernels.shape[:3], -1)
            ops.append(Raising(*self.windows(X.shape), rows_of_W, rows, by_rows(as_images(dX))))
        return ops

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        lowering, delta = self._lowering(context.inputs[0].shape, context.saved["lowered"]), context.saved["delta"]
        n, W = delta.shape[-1], context.saved["kernels"]
        found = np.zeros((n, *W.shape), context.dtype)
        for read, row in zip(lowering.matrices, self._matrices(delta), strict=True):
            apart = [matrix.reshape(*matrix.shape[:2], -1, n).transpose(3, 0, 1, 2) for matrix in (row, read)]
            found += np.matmul(apart[0], apart[1].swapaxes(2, 3))
        weight = np.empty((n, *context.parameters["weight"].shape), context.dtype)
        for kernel, gradient in zip(found, weight, strict=True):
            turned = self._kernels(gradient)
            turned[...] = kernel.reshape(turned.shape)
        gradients = {"weight": weight, "bias": delta.sum(axis=(0, 2)).T}
        return {name: gradients[name] for name in context.parameters}


def as_images(tensor: Array) -> Array:
    """Return a sequence, n x channels x time, as images of height 1; images are unchanged."""
    return tensor if tensor.ndim == 4 else tensor[:, :, None]
