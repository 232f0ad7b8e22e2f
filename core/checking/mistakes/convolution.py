"""The mistakes in conv1d and conv2d, and in the bias of transposed convolutions."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


def turned(kernels: Array) -> Array:
    """Kernels turned by 180°: reversed along every axis behind filters and channels."""
    return np.flip(kernels, axis=tuple(range(2, kernels.ndim)))


class KernelNotTurned(OfKind):
    """∂L/∂X with the kernel as it is in the forward pass."""

    slug = "kernel-not-turned"
    kinds = ("conv1d", "conv2d")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "comes back through the kernels of layer '$above' rotated by 180° from their right orientation"
    wrong = r"\frac{\partial L}{\partial X} = \delta \star K \quad \text{instead of} \quad \delta * K"
    why = (
        "The backward pass of a cross-correlation is a full convolution, so the kernel is rotated by 180°. Code that "
        "instead adds W · Δ to each window of the input must not rotate it."
    )
    unseen = "the kernels are symmetric"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        rules = trace.network.variant(layer, parameters={"weight": turned(trace.parameters(layer)["weight"])})
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class KernelGradientTurned(OfKind):
    """∂L/∂K turned by 180°."""

    slug = "kernel-gradient-turned"
    kinds = ("conv1d", "conv2d")
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("weight",)
    said = "is rotated by 180°"
    wrong = r"\frac{\partial L}{\partial K} = \mathrm{rot}_{180}(\text{the right value})"
    why = (
        "The gradient of a kernel has the orientation of the kernel: X ⋆ Δ for a cross-correlation, rotated by 180° "
        "only for a true convolution."
    )
    unseen = "each kernel has a single number, or the gradient is symmetric"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        return turned(trace.backward(layer).parameters["weight"]) if parameter == "weight" else None


class BiasGradientOverExamplesOnly(OfKind):
    """∂L/∂b summed over the batch alone: a map for each filter."""

    slug = "bias-gradient-over-examples-only"
    kinds = ("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d")
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("bias",)
    said = "is summed over the examples, but not over the positions"
    wrong = r"\frac{\partial L}{\partial b_o} = \sum_n \delta_{n o}"
    why = "A filter adds its bias at every position, so the gradient of the bias is summed over examples and positions."

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        return np.asarray(trace.deltas[layer].sum(axis=0)) if parameter == "bias" else None


class BiasGradientMeanOverPositions(OfKind):
    """∂L/∂b averaged over the positions."""

    slug = "bias-gradient-mean-over-positions"
    kinds = ("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d")
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("bias",)
    said = "is averaged over the positions instead of summed"
    wrong = r"\frac{\partial L}{\partial b_o} = \tfrac{1}{RS} \sum_{n, r, s} \delta_{n o r s}"
    why = (
        "The gradient is the sum of the deltas over all positions. The deltas already contain 1/n; the number of "
        "positions does not divide them."
    )
    unseen = "there is one position"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        D = trace.deltas[layer]
        axes = tuple(range(2, D.ndim))
        return np.asarray(D.mean(axis=axes).sum(axis=0)) if parameter == "bias" else None


CONVOLUTION: tuple[type[Mistake], ...] = (
    KernelNotTurned,
    KernelGradientTurned,
    BiasGradientOverExamplesOnly,
    BiasGradientMeanOverPositions,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
