"""The right backward pass of the normalisations, with a method for every term that a program can have wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.quantity import Quantity
from core.checking.trace import Trace


@dataclass(frozen=True, slots=True)
class Standardised:
    """The arrays of a normalisation before its backward pass."""

    layer: Any
    """The layer itself, a `Normalisation` with a field `epsilon`."""
    X: Array
    """What the layer reads."""
    D: Array
    """∂L/∂Z."""
    gamma: Array
    """γ in a shape that multiplies X."""
    beta: Array
    """β in a shape that is added to X; 0 in a layer without one."""
    values: Array
    """X̂."""
    deviation: Array
    """√(σ² + ε), with length 1 along the axes of the statistics."""
    running_variance: Array
    """The running variance that was sent, or 1; empty for a layer without one."""

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes over which the statistics are taken."""
        return tuple(self.layer.statistics_axes(self.X.ndim))

    @property
    def feature_axis(self) -> int:
        """The axis of the features or channels."""
        return int(self.layer.feature_axis(self.X.ndim))

    @property
    def summed_axes(self) -> tuple[int, ...]:
        """The axes over which the gradients of γ and β are summed."""
        return tuple(axis for axis in range(self.X.ndim) if axis != self.feature_axis)

    @property
    def count(self) -> int:
        """N, the number of numbers of one mean."""
        return math.prod(self.X.shape[axis] for axis in self.axes)

    @property
    def positions(self) -> int:
        """The number of time steps or pixels of one example."""
        return int(self.X.size // self.X.shape[0] // self.X.shape[self.feature_axis])

    def beside(self, numbers: Array) -> Array:
        """Return one number for each feature in a shape that multiplies X."""
        return numbers.reshape([-1 if axis == self.feature_axis else 1 for axis in range(self.X.ndim)])


class NormalisationMistake(OfKind):
    """A wrong rule of a normalisation."""

    kinds = ("batch_norm", "layer_norm", "rms_norm")

    def is_possible(self, at: Standardised) -> bool:
        """Return True if the shapes and the fields of the layer allow the mistake."""
        return True

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        if quantity.part not in ("gradients", "deltas", "input_gradient"):
            return super().applies(trace, quantity)
        readers = trace.network.readers.get(quantity.layer, [])
        layers = [quantity.layer] if quantity.part == "gradients" else [reader.layer for reader in readers]
        found = [layer for layer in layers if self.is_kind(trace, layer) and layer in trace.deltas]
        return any(self.is_possible(arrays_of(trace, layer)) for layer in found)


class NormalisationBackward(NormalisationMistake):
    """∂L/∂X = (G − mean(G) − X̂ ∘ mean(G ∘ X̂))/√(σ² + ε) with G = γ ∘ Δ.

    The term mean(G) comes through μ and is missing in rms_norm; both terms are missing where the statistics are constants.
    A mistake overrides the method of one term.
    """

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    in_terms: ClassVar[bool] = True
    """Whether the mistake is in the terms through the statistics, which are constants in batch_norm's mode eval."""

    def is_possible(self, at: Standardised) -> bool:
        return at.layer.statistics_vary or not self.in_terms

    def scaled(self, at: Standardised) -> Array:
        """G = γ ∘ Δ."""
        return np.asarray(at.D * at.gamma)

    def direct(self, at: Standardised) -> Array:
        """The term G of each x itself."""
        return self.scaled(at)

    def mean(self, at: Standardised, terms: Array) -> Array:
        """Return the mean over the axes of the statistics."""
        return np.asarray(terms.mean(axis=at.axes, keepdims=True))

    def has_terms(self, at: Standardised) -> bool:
        """Return True if there are terms through the statistics."""
        return bool(at.layer.statistics_vary)

    def mean_term(self, at: Standardised) -> Array:
        """The term through μ, mean(G)."""
        return self.mean(at, self.scaled(at))

    def variance_term(self, at: Standardised) -> Array:
        """The term through σ², X̂ ∘ mean(G ∘ X̂)."""
        return np.asarray(at.values * self.mean(at, self.scaled(at) * at.values))

    def reciprocal(self, at: Standardised) -> Array:
        """The factor of the whole, 1/√(σ² + ε)."""
        return np.asarray(1 / at.deviation)

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        at = arrays_of(trace, layer)
        if not self.is_possible(at):
            return None
        found = self.direct(at)
        if self.has_terms(at):
            if at.layer.subtracts_mean:
                found = found - self.mean_term(at)
            found = found - self.variance_term(at)
        return np.asarray(found * self.reciprocal(at))


def arrays_of(trace: Trace, layer: str) -> Standardised:
    """Return the arrays of a normalisation."""
    (X,), rules = trace.read_by(layer), trace.network.layer_rules[layer]
    kind: Any = trace.network.nodes[layer].layer
    saved, axis = rules.saved([X]), kind.feature_axis(X.ndim)
    state, parameters = trace.network.problem.state.get(layer, {}), trace.parameters(layer)
    beside = [-1 if each == axis else 1 for each in range(X.ndim)]
    return Standardised(
        layer=kind,
        X=X,
        D=trace.deltas[layer],
        gamma=parameters["gamma"].reshape(beside),
        beta=parameters["beta"].reshape(beside) if "beta" in parameters else np.zeros(()),
        values=saved["standardised"],
        deviation=saved["deviation"],
        running_variance=np.asarray(state.get("running_variance", np.ones(X.shape[axis]))),
    )
