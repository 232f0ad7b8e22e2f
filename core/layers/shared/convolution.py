"""Convolution: what conv1d and conv2d compute."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core.arrays import Array, Op, Shape
from core.layer_context import LayerContext
from core.layers.base import Steps
from core.layers.shared.filters import Filters
from core.layers.shared.lowering import Lowering, by_rows, lowered_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(Filters):
    """Base of the convolutions. Inside, a sequence is an image of height 1."""

    def working_size(self, *inputs: Shape) -> int:
        (x,) = inputs
        return 2 * math.prod(lowered_shape(*self.windows(x), x[1], self.groups, x[0]))

    def _lowering(self, x: Shape, memory: Array) -> Lowering:
        return Lowering(*self.windows(x), memory)

    def _lowered_memory(self, x: Shape, dtype: np.dtype[Any]) -> Array:
        return np.zeros(lowered_shape(*self.windows(x), x[1], self.groups, x[0]), dtype)

    def _kernels(self, weight: Array) -> Array:
        """The weight seen as groups x filters x kernel height x kernel width x channels; true convolution turns it."""
        kernels = as_images(weight).reshape(self.groups, -1, *as_images(weight).shape[1:]).transpose(0, 1, 3, 4, 2)
        return kernels if self.mode == "cross_correlation" else kernels[:, :, ::-1, ::-1]

    def _matrices(self, result: Array) -> Array:
        """The rows of the result, each a matrix of filters x (width · n) for every group."""
        return np.reshape(result, (len(result), self.groups, self.filters // self.groups, -1), copy=False)

    def forward(self, place: LayerContext) -> Steps:
        (X,), Z, b = place.inputs, by_rows(as_images(place.new_result())), place.parameters.get("bias")
        memory = place.saved["lowered"] = self._lowered_memory(X.shape, place.dtype)
        lowering, kernels = self._lowering(X.shape, memory), self._kernels(place.parameters["weight"])
        W = place.saved["kernels"] = np.empty((*kernels.shape[:2], math.prod(kernels.shape[2:])), place.dtype)
        result = Z if Z.flags.c_contiguous else np.empty(Z.shape, place.dtype)
        rows = self._matrices(result)

        def multiply() -> None:
            for read, row in zip(lowering.matrices, rows, strict=True):
                np.matmul(W, read, out=row)

        steps: list[Op] = [
            partial(lowering.fill, by_rows(as_images(X))),
            partial(np.copyto, W.reshape(kernels.shape), kernels),
            multiply,
        ]
        if b is not None:
            steps.append(partial(np.add, result, b[:, None, None], result))
        return steps if result is Z else [*steps, partial(np.copyto, Z, result)]

    def backward(self, place: LayerContext) -> Steps:
        (X,), (dX,), dZ = place.inputs, place.d_inputs, by_rows(as_images(place.d_result))
        lowering, W = self._lowering(X.shape, place.saved["lowered"]), place.saved["kernels"]
        delta = place.saved["delta"] = dZ if dZ.flags.c_contiguous else np.empty(dZ.shape, place.dtype)
        dW, rows = np.empty_like(W), self._matrices(delta)
        kernels = self._kernels(place.gradients["weight"])

        def correlate() -> None:
            dW.fill(0)
            for read, row in zip(lowering.matrices, rows, strict=True):
                np.add(dW, np.matmul(row, read.swapaxes(1, 2)), dW)

        steps: list[Op] = [] if delta is dZ else [partial(np.copyto, delta, dZ)]
        steps += [correlate, lambda: np.copyto(kernels, dW.reshape(kernels.shape))]
        if self.bias:
            steps.append(partial(np.sum, delta, axis=(0, 2, 3), out=place.gradients["bias"]))
        return steps if dX is None else [*steps, self._spread(W, rows, X.shape, dX)]

    def _spread(self, W: Array, rows: Array, x: Shape, dX: Array) -> Op:
        """The step that gives every number of X the sum over all windows that read it: Wᵀ dZ, lowered backwards."""
        lowering = self._lowering(x, self._lowered_memory(x, dX.dtype))
        images, contribution = by_rows(as_images(dX)), np.empty_like(lowering.matrices[0])

        def step() -> None:
            lowering.clear()
            for received, row in zip(lowering.matrices, rows, strict=True):
                np.matmul(W.swapaxes(1, 2), row, out=contribution)
                np.add(received, contribution, received)
            lowering.add_up(images)

        return step

    def example_gradients(self, place: LayerContext) -> dict[str, Array]:
        lowering, delta = self._lowering(place.inputs[0].shape, place.saved["lowered"]), place.saved["delta"]
        n, W = delta.shape[-1], place.saved["kernels"]
        found = np.zeros((n, *W.shape), place.dtype)
        for read, row in zip(lowering.matrices, self._matrices(delta), strict=True):
            apart = [matrix.reshape(*matrix.shape[:2], -1, n).transpose(3, 0, 1, 2) for matrix in (row, read)]
            found += np.matmul(apart[0], apart[1].swapaxes(2, 3))
        weight = np.empty((n, *place.parameters["weight"].shape), place.dtype)
        for kernel, gradient in zip(found, weight, strict=True):
            turned = self._kernels(gradient)
            turned[...] = kernel.reshape(turned.shape)
        gradients = {"weight": weight, "bias": delta.sum(axis=(0, 2)).T}
        return {name: gradients[name] for name in place.parameters}


def as_images(tensor: Array) -> Array:
    """A sequence, n x channels x time, as images of height 1; images as they are."""
    return tensor if tensor.ndim == 4 else tensor[:, :, None]
