"""The mistakes in scale: Z = γ ∘ X + β."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.layers.shared.along import Along


class _OfScale(OfKind):
    """A mistake in a gradient of scale."""

    kinds = ("scale",)

    def gamma(self, trace: Trace, layer: str) -> Array | None:
        """γ as it meets the input; None if the layer has none."""
        parameters = trace.parameters(layer)
        return self.place(trace, layer).spread(parameters["gamma"]) if "gamma" in parameters else None

    def place(self, trace: Trace, layer: str) -> Along:
        """The place of γ and β in the input."""
        kind: Any = trace.network.nodes[layer].layer
        place: Along = kind.along(trace.read_by(layer)[0].shape)
        return place


class FactorLeftOut(_OfScale):
    """∂L/∂X = Δ."""

    slug = "gamma-left-out"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "lacks the factor gamma of layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = \delta"
    why = "Z = γ x + β, so ∂z/∂x = γ: the gradient of x is γ δ."
    unseen = "every gamma is 1"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        return None if self.gamma(trace, layer) is None else trace.deltas[layer]


class FactorGradientWithoutInput(_OfScale):
    """dγ = Σ Δ."""

    slug = "gamma-gradient-without-input"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "lacks the factor x, which gamma multiplies"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta"
    why = "γ multiplies x, so ∂z/∂γ = x and dγ = Σ δ x; only dβ is Σ δ."
    unseen = "the layer reads ones"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        return self.place(trace, layer).sums(trace.deltas[layer]) if parameter == "gamma" else None


class FactorGradientOfResult(_OfScale):
    """dγ = Σ Δ ∘ Z."""

    slug = "gamma-gradient-of-result"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "is formed with the layer's result instead of what it reads"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta \circ Z"
    why = "γ multiplies x, so its gradient contains x, from before γ and β were applied."
    unseen = "gamma is 1 and beta 0"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        if parameter != "gamma":
            return None
        return self.place(trace, layer).sums(trace.deltas[layer] * trace.preactivations[layer])


class FactorInParameterGradient(_OfScale):
    """dγ = Σ γ ∘ Δ ∘ X, dβ = Σ γ ∘ Δ."""

    slug = "gamma-in-parameter-gradient"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "contains gamma, which belongs to the gradient of x alone"
    wrong = r"\sum \gamma \circ \delta \quad \text{instead of} \quad \sum \delta"
    why = "Z = γ x + β, so dβ = Σ δ and dγ = Σ δ x; only the gradient of x contains γ."
    unseen = "every gamma is 1"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        gamma = self.gamma(trace, layer)
        if gamma is None:
            return None
        factor = trace.read_by(layer)[0] if parameter == "gamma" else 1.0
        return self.place(trace, layer).sums(np.asarray(gamma * trace.deltas[layer] * factor))


SCALING: tuple[type[Mistake], ...] = (
    FactorLeftOut,
    FactorGradientWithoutInput,
    FactorGradientOfResult,
    FactorInParameterGradient,
)
"""Every one of them."""
