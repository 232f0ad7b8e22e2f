"""The mistakes in group_norm: dX = (G − mean(G) − X̂ ∘ mean(G ∘ X̂))/√(σ² + ε) with G = γ ∘ Δ and means over groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array, Shape
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace
from core.layers.shared.along import Along


@dataclass(frozen=True, slots=True)
class _Groups:
    """The arrays of a group_norm before its backward pass; X̂ and 1/√(σ² + ε) in the shape of X."""

    X: Array
    D: Array
    gamma: Array
    values: Array
    reciprocal: Array
    grouped: Shape
    """n x groups x numbers of a group."""

    @property
    def place(self) -> Along:
        """The place of γ and β in X."""
        return Along(self.X.shape, (1,))


def _arrays_of(trace: Trace, layer: str) -> _Groups:
    (X,), kind = trace.read_by(layer), trace.network.nodes[layer].layer
    grouped: Any = kind.grouped(X.shape)  # type: ignore[attr-defined]
    saved = trace.network.layer_rules[layer].saved([X])
    reciprocal = np.broadcast_to(1 / saved["deviation"], grouped).reshape(X.shape)
    gamma = Along(X.shape, (1,)).spread(trace.parameters(layer)["gamma"])
    return _Groups(X, trace.deltas[layer], gamma, saved["standardised"].reshape(X.shape), reciprocal, grouped)


class _Back(OfKind):
    """∂L/∂X, with a method for every term."""

    kinds = ("group_norm",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def mean(self, at: _Groups, terms: Array) -> Array:
        """Return the mean over each group, in the shape of X."""
        means = terms.reshape(at.grouped).mean(axis=-1, keepdims=True)
        return np.broadcast_to(means, at.grouped).reshape(at.X.shape)

    def scaled(self, at: _Groups) -> Array:
        """G."""
        return np.asarray(at.gamma * at.D)

    def mean_term(self, at: _Groups) -> Array | float:
        """The term through μ."""
        return self.mean(at, self.scaled(at))

    def variance_term(self, at: _Groups) -> Array | float:
        """The term through σ²."""
        return np.asarray(at.values * self.mean(at, self.scaled(at) * at.values))

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        at = _arrays_of(trace, layer)
        return np.asarray((self.scaled(at) - self.mean_term(at) - self.variance_term(at)) * at.reciprocal)


class GroupStatisticsAsConstants(_Back):
    """∂L/∂X = G/√(σ² + ε)."""

    slug = "statistics-as-constants"
    said = "lacks the terms through the mean and the variance of layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = \frac{\gamma \circ \delta}{\sqrt{\sigma^2 + \epsilon}}"
    why = "μ and σ² of a group depend on every number of it, so the gradient has a term through each of them."
    unseen = "both terms are 0"

    def mean_term(self, at: _Groups) -> Array | float:
        return 0.0

    def variance_term(self, at: _Groups) -> Array | float:
        return 0.0


class GroupMeanTermMissing(_Back):
    """Without mean(G)."""

    slug = "mean-term-missing"
    said = "lacks the term through the mean of layer '$above'"
    wrong = r"\frac{G - \hat{X} \circ \mathrm{mean}(G \circ \hat{X})}{\sqrt{\sigma^2 + \epsilon}}"
    why = "μ of a group depends on every number of it: the mean of γ δ over the group is subtracted."
    unseen = "that mean is 0"

    def mean_term(self, at: _Groups) -> Array | float:
        return 0.0


class GroupVarianceTermMissing(_Back):
    """Without X̂ ∘ mean(G ∘ X̂)."""

    slug = "variance-term-missing"
    said = "lacks the term through the variance of layer '$above'"
    wrong = r"\frac{G - \mathrm{mean}(G)}{\sqrt{\sigma^2 + \epsilon}}"
    why = "σ² of a group depends on every number of it: x̂ times the mean of γ δ x̂ over the group is subtracted."
    unseen = "that term is 0"

    def variance_term(self, at: _Groups) -> Array | float:
        return 0.0


class GroupGammaLeftOut(_Back):
    """G = Δ."""

    slug = "gamma-left-out"
    said = "lacks the factor gamma of layer '$above'"
    wrong = r"G = \delta"
    why = "Z = γ x̂ + β, so the gradient of x̂ is γ δ."
    unseen = "every gamma is 1"

    def scaled(self, at: _Groups) -> Array:
        return at.D


class MeansOverChannels(_Back):
    """The means over each channel, as in instance normalisation."""

    slug = "means-over-wrong-axes"
    said = "contains means over each channel instead of each group of layer '$above'"
    wrong = r"\mathrm{mean}_{\text{positions}}"
    why = "μ and σ² are those of a group of channels, so their terms in the gradient are means over the same numbers."
    unseen = "every group is one channel"

    def mean(self, at: _Groups, terms: Array) -> Array:
        axes = tuple(range(2, terms.ndim))
        return np.broadcast_to(terms.mean(axis=axes, keepdims=True), terms.shape)


class MeansOverExample(MeansOverChannels):
    """The means over the whole example, as with one group."""

    said = "contains means over each example instead of each group of layer '$above'"
    wrong = r"\mathrm{mean}_{\text{channels, positions}}"
    unseen = "there is one group"

    def mean(self, at: _Groups, terms: Array) -> Array:
        axes = tuple(range(1, terms.ndim))
        return np.broadcast_to(terms.mean(axis=axes, keepdims=True), terms.shape)


class GroupGammaOfRawInput(OfKind):
    """dγ = Σ Δ ∘ X."""

    slug = "gamma-gradient-of-raw-input"
    kinds = ("group_norm",)
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "is formed with x instead of the standardised x̂"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta \circ X"
    why = "γ multiplies x̂, not x, so its gradient contains x̂."
    unseen = "the layer's input is standardised already"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        at = _arrays_of(trace, layer)
        return at.place.sums(at.D * at.X) if parameter == "gamma" else None


GROUP_NORM: tuple[type[Mistake], ...] = (
    GroupStatisticsAsConstants,
    GroupMeanTermMissing,
    GroupVarianceTermMissing,
    GroupGammaLeftOut,
    MeansOverChannels,
    MeansOverExample,
    GroupGammaOfRawInput,
)
"""Every one of them."""
