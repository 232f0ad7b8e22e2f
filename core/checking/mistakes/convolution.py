"""The mistakes in conv1d and conv2d."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
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
    said = "comes back through the kernels of layer '$above' the wrong way round: turned by 180° against what is right"
    wrong = r"\frac{\partial L}{\partial X} = \delta \star K \quad \text{instead of} \quad \delta * K"
    why = (
        "What went through a cross-correlation comes back through a full convolution: the kernel is turned by 180°. Whoever "
        "scatters W · Δ window by window must not turn it."
    )
    unseen = "the kernels are symmetric"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        stage = trace.network.variant(layer, parameters={"weight": turned(trace.parameters(layer)["weight"])})
        return stage.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class KernelGradientTurned(OfKind):
    """∂L/∂K turned by 180°."""

    slug = "kernel-gradient-turned"
    kinds = ("conv1d", "conv2d")
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("weight",)
    said = "is turned by 180°"
    wrong = r"\frac{\partial L}{\partial K} = \mathrm{rot}_{180}(\text{the right value})"
    why = (
        "The gradient of a kernel lies as the kernel does: X ⋆ Δ for a cross-correlation, turned only for a true "
        "convolution."
    )
    unseen = "the kernels have one number, or the gradient is symmetric"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        return turned(trace.backward(layer).parameters["weight"]) if parameter == "weight" else None


class BiasGradientOverExamplesOnly(OfKind):
    """∂L/∂b summed over the batch alone: a map for each filter."""

    slug = "bias-gradient-over-examples-only"
    kinds = ("conv1d", "conv2d")
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("bias",)
    said = "is summed over the examples, but not over the positions"
    wrong = r"\frac{\partial L}{\partial b_o} = \sum_n \delta_{n o}"
    why = "One bias is added at every position of its filter's map, so its gradient sums over examples and positions."

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        return np.asarray(trace.deltas[layer].sum(axis=0)) if parameter == "bias" else None


class BiasGradientMeanOverPositions(OfKind):
    """∂L/∂b averaged over the positions."""

    slug = "bias-gradient-mean-over-positions"
    kinds = ("conv1d", "conv2d")
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("bias",)
    said = "is averaged over the positions instead of summed"
    wrong = r"\frac{\partial L}{\partial b_o} = \tfrac{1}{RS} \sum_{n, r, s} \delta_{n o r s}"
    why = "The deltas of all positions add up. 1/n is in them already, and nothing is averaged over the positions."
    unseen = "there is one position"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        D = trace.deltas[layer]
        axes = tuple(range(2, D.ndim))
        return np.asarray(D.mean(axis=axes).sum(axis=0)) if parameter == "bias" else None
