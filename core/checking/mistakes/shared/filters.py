"""The backward pass of a convolution written out by offsets of the kernel, and the base class of mistakes in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


@dataclass(frozen=True, slots=True)
class Axis:
    """The positions of a kernel along one axis: window o reads the numbers o·stride − before + offset·dilation."""

    length: int
    size: int
    count: int
    stride: int
    before: int
    dilation: int

    def places(self, offset: int) -> tuple[Array, Array]:
        """Return the windows that read a number of the image at this offset, and these numbers."""
        numbers = np.arange(self.count) * self.stride - self.before + offset * self.dilation
        windows = np.flatnonzero((numbers >= 0) & (numbers < self.length))
        return windows, numbers[windows]


@dataclass(frozen=True, slots=True)
class Correlation:
    """A convolution as its backward pass sees it: images X, kernels W (turned for a true convolution) and the delta."""

    X: Array
    W: Array
    D: Array
    groups: int
    axes: tuple[Axis, Axis]

    def input_gradient(self) -> Array:
        """∂L/∂X: each δ, times the kernel, added to the window that it read."""
        found = np.zeros_like(self.X)
        W = self.W.reshape(self.groups, -1, *self.W.shape[1:])
        D = self.D.reshape(len(self.D), self.groups, -1, *self.D.shape[2:])
        for i, j in np.ndindex(self.W.shape[2:]):
            (r, y), (s, x) = self.axes[0].places(i), self.axes[1].places(j)
            sent = np.einsum("ngors,goc->ngcrs", D[..., r[:, None], s], W[..., i, j])
            found[..., y[:, None], x] += sent.reshape(len(found), found.shape[1], len(r), len(s))
        return found

    def kernel_gradient(self) -> Array:
        """∂L/∂W: at each offset, the sum of δ times the number that the kernel met there."""
        found = np.zeros_like(self.W)
        X = self.X.reshape(len(self.X), self.groups, -1, *self.X.shape[2:])
        D = self.D.reshape(len(self.D), self.groups, -1, *self.D.shape[2:])
        for i, j in np.ndindex(self.W.shape[2:]):
            (r, y), (s, x) = self.axes[0].places(i), self.axes[1].places(j)
            product = np.einsum("ngors,ngcrs->goc", D[..., r[:, None], s], X[..., y[:, None], x])
            found[..., i, j] = product.reshape(found.shape[:2])
        return found


class OfConvolution(OfKind):
    """The backward pass of a convolution with something else in it."""

    kinds = ("conv1d", "conv2d")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "gradients")
    parameters: ClassVar[tuple[str, ...]] = ("weight",)

    def altered(self, correlation: Correlation) -> Correlation | None:
        """Return the wrong convolution for ∂L/∂X; None where the mistake is not possible."""
        return None

    def altered_for_kernel(self, correlation: Correlation) -> Correlation | None:
        """Return the wrong convolution for ∂L/∂W."""
        return self.altered(correlation)

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        wrong = self.altered(_correlation(trace, layer))
        return None if wrong is None else wrong.input_gradient().reshape(trace.read_by(layer)[position].shape)

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        wrong = self.altered_for_kernel(_correlation(trace, layer)) if parameter == "weight" else None
        if wrong is None:
            return None
        found, kind = wrong.kernel_gradient(), trace.network.nodes[layer].layer
        return _oriented(kind, found).reshape(trace.parameters(layer)["weight"].shape)


def _correlation(trace: Trace, layer: str) -> Correlation:
    kind: Any = trace.network.nodes[layer].layer
    (X,), W, D = trace.read_by(layer), trace.parameters(layer)["weight"], trace.deltas[layer]
    rows, columns = (
        Axis(axis.length, axis.size, axis.count, axis.stride, axis.before, axis.dilation)
        for axis in kind.windows(X.shape)
    )
    X, W, D = (array if array.ndim == 4 else array[:, :, None] for array in (X, W, D))
    return Correlation(X, _oriented(kind, W), D, kind.groups, (rows, columns))


def _oriented(kind: Any, kernels: Array) -> Array:
    return kernels if kind.mode == "cross_correlation" else kernels[..., ::-1, ::-1]


def with_axes(correlation: Correlation, **fields: int) -> Correlation | None:
    """Return the convolution with these fields of its axes; None if they have them already."""
    rows, columns = (replace(axis, **fields) if axis.length > 1 else axis for axis in correlation.axes)
    return None if (rows, columns) == correlation.axes else replace(correlation, axes=(rows, columns))
