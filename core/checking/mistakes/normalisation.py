"""The mistakes in batch_norm and layer_norm."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class _Normalised(OfKind):
    """A rule of a layer that standardises by the statistics of what it reads."""

    kinds = ("batch_norm", "layer_norm")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def is_kind(self, trace: Trace, layer: str) -> bool:
        node: Any = trace.network.nodes.get(layer)
        return super().is_kind(trace, layer) and getattr(node.layer, "mode", "train") == "train"

    def parts(self, trace: Trace, layer: str) -> tuple[Array, Array, Array, tuple[int, ...]]:
        """G = γ ∘ Δ, x̂, √(σ² + ε), and the axes that the statistics run over."""
        saved = trace.network.layer_rules[layer].saved(trace.read_by(layer))
        D, gamma = trace.deltas[layer], trace.parameters(layer)["gamma"]
        if trace.network.nodes[layer].layer.kind == "layer_norm":
            return D * gamma, saved["standardised"], saved["deviation"], (D.ndim - 1,)
        beside = gamma.reshape(1, -1, *(1 for _ in D.shape[2:]))
        return D * beside, saved["standardised"], saved["deviation"], (0, *range(2, D.ndim))


class StatisticsAsConstants(_Normalised):
    """∂L/∂X = γ Δ / σ."""

    slug = "statistics-as-constants"
    said = "treats the mean and variance of layer '$above' as constants"
    wrong = r"\frac{\partial L}{\partial X} = \frac{\gamma \circ \delta}{\sqrt{\sigma^2 + \epsilon}}"
    why = (
        "The mean and the variance depend on every x they are computed from, so the gradient of each x has two more "
        "terms, one through the mean and one through the variance."
    )

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        G, _, deviation, _ = self.parts(trace, layer)
        return np.asarray(G / deviation)


class MeanTermMissing(_Normalised):
    """Without the term through the mean."""

    slug = "mean-term-missing"
    said = "lacks the term through the mean of layer '$above'"
    wrong = (
        r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G - \hat{X} \circ \overline{G \circ \hat{X}} \right)"
    )
    why = "The mean depends on every x. Its term, − mean(G), makes the gradient sum to 0 over the numbers of each mean."

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        G, values, deviation, axes = self.parts(trace, layer)
        return np.asarray((G - values * (G * values).mean(axis=axes, keepdims=True)) / deviation)


class VarianceTermMissing(_Normalised):
    """Without the term through the variance."""

    slug = "variance-term-missing"
    said = "lacks the term through the variance of layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G - \overline{G} \right)"
    why = "The variance depends on every x. Its term, − x̂ mean(G x̂), makes the gradient orthogonal to x̂."

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        G, _, deviation, axes = self.parts(trace, layer)
        return np.asarray((G - G.mean(axis=axes, keepdims=True)) / deviation)


class GammaLeftOut(_Normalised):
    """The gradient with γ = 1."""

    slug = "gamma-left-out"
    said = "passed back through layer '$above' without its gamma"
    wrong = r"G = \delta \quad \text{instead of} \quad \gamma \circ \delta"
    why = "The layer multiplies x̂ by γ, so the backward pass multiplies the gradient by γ."
    unseen = "every gamma is 1"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        ones = {"gamma": np.ones_like(trace.parameters(layer)["gamma"])}
        rules = trace.network.variant(layer, parameters=ones)
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class GammaGradientOfRawInput(_Normalised):
    """dγ = Σ Δ ∘ X."""

    slug = "gamma-gradient-of-raw-input"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    said = "is formed with x instead of the standardised x̂"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta \circ X"
    why = "γ multiplies x̂, not x, so its gradient contains x̂."
    unseen = "the layer's input is standardised already"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        if parameter != "gamma":
            return None
        (X,) = trace.read_by(layer)
        return np.asarray((trace.deltas[layer] * X).sum(axis=summed(trace, layer)))


class UnbiasedVariance(_Normalised):
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
        gamma, beta = (self._beside(trace, layer, name) for name in ("gamma", "beta"))
        return None if values is None else np.asarray(gamma * values + beta)

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        values = self._standardised(trace, layer)
        if values is None or parameter != "gamma":
            return None
        return np.asarray((trace.deltas[layer] * values).sum(axis=summed(trace, layer)))

    def _standardised(self, trace: Trace, layer: str) -> Array | None:
        kind: Any = trace.network.nodes[layer].layer
        (X,) = trace.read_by(layer)
        axes = (X.ndim - 1,) if kind.kind == "layer_norm" else (0, *range(2, X.ndim))
        if np.prod([X.shape[axis] for axis in axes]) < 2:
            return None
        variance = X.var(axis=axes, ddof=1, keepdims=True)
        return np.asarray((X - X.mean(axis=axes, keepdims=True)) / np.sqrt(variance + kind.epsilon))

    def _beside(self, trace: Trace, layer: str, name: str) -> Array:
        """A parameter shaped so that it multiplies what the layer reads."""
        values, rank = trace.parameters(layer)[name], len(trace.network.shapes[layer])
        last = trace.network.nodes[layer].layer.kind == "layer_norm"
        return values if last else values.reshape(1, -1, *(1 for _ in range(rank - 2)))


def summed(trace: Trace, layer: str) -> tuple[int, ...]:
    """The axes over which the gradients of gamma and beta sum: all but that of the features or channels."""
    rank = len(trace.network.shapes[layer])
    kept = rank - 1 if trace.network.nodes[layer].layer.kind == "layer_norm" else 1
    return tuple(axis for axis in range(rank) if axis != kept)
