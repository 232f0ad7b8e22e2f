"""The mistake in the statistics of the forward pass: the sample variance."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.normalisation.backward import NormalisationMistake
from core.checking.trace import Trace


class UnbiasedVariance(NormalisationMistake):
    """σ² with 1/(N − 1)."""

    slug = "unbiased-variance"
    strikes: ClassVar[tuple[str, ...]] = ("preactivations", "gradients")
    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    said = "is standardised with the sample variance, which divides by N − 1"
    wrong = r"\sigma^2 = \frac{1}{N - 1} \sum (x - \mu)^2"
    why = (
        "Normalisation layers use the biased variance, which divides by N. torch.var and MATLAB's var divide by N − "
        "1 by default."
    )

    def forward(self, trace: Trace, layer: str) -> Array | None:
        values = self._standardised(trace, layer)
        if values is None:
            return None
        gamma, beta = (self._beside(trace, layer, name) for name in ("gamma", "beta"))
        return np.asarray(gamma * values + beta)

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        values = self._standardised(trace, layer)
        if values is None or parameter != "gamma":
            return None
        kept = trace.network.nodes[layer].layer.feature_axis(values.ndim)  # type: ignore[attr-defined]
        return np.asarray((trace.deltas[layer] * values).sum(axis=tuple(k for k in range(values.ndim) if k != kept)))

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        """∂L/∂X of this forward pass: (γ/s) (Δ − mean(Δ) − X̂ Σ Δ X̂/(N − 1))."""
        values, kind = self._standardised(trace, layer), trace.network.nodes[layer].layer
        if values is None:
            return None
        (X,) = trace.read_by(layer)
        axes = kind.statistics_axes(X.ndim)  # type: ignore[attr-defined]
        G = trace.deltas[layer] * self._beside(trace, layer, "gamma")
        others = np.prod([X.shape[axis] for axis in axes]) - 1
        deviation = np.sqrt(X.var(axis=axes, ddof=1, keepdims=True) + kind.epsilon)  # type: ignore[attr-defined]
        along = values * (G * values).sum(axis=axes, keepdims=True) / others
        return np.asarray((G - G.mean(axis=axes, keepdims=True) - along) / deviation)

    def applies(self, trace: Trace, quantity: Any) -> bool:
        return self.is_kind(trace, quantity.layer) and self._standardised(trace, quantity.layer) is not None

    def _standardised(self, trace: Trace, layer: str) -> Array | None:
        """X̂ with the sample variance; None for a layer whose statistics are no mean and variance of what it reads."""
        kind: Any = trace.network.nodes[layer].layer
        (X,) = trace.read_by(layer)
        axes = kind.statistics_axes(X.ndim)
        if not (kind.statistics_vary and kind.subtracts_mean) or np.prod([X.shape[axis] for axis in axes]) < 2:
            return None
        variance = X.var(axis=axes, ddof=1, keepdims=True)
        return np.asarray((X - X.mean(axis=axes, keepdims=True)) / np.sqrt(variance + kind.epsilon))

    def _beside(self, trace: Trace, layer: str, name: str) -> Array:
        """A parameter shaped so that it multiplies what the layer reads."""
        kind: Any = trace.network.nodes[layer].layer
        rank = len(trace.network.shapes[layer])
        kept = kind.feature_axis(rank)
        return trace.parameters(layer)[name].reshape([-1 if axis == kept else 1 for axis in range(rank)])
