"""The mistakes in the gradients of γ and β: dγ = Σ Δ ∘ X̂, dβ = Σ Δ."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.normalisation.backward import NormalisationMistake, Standardised, arrays_of
from core.checking.mistakes.normalisation.means import role_axes
from core.checking.trace import Trace


class ParameterMistake(NormalisationMistake):
    """A mistake in the gradient of γ or β. Each method is that of a term or of the sum."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("gamma", "beta")

    def standardised(self, at: Standardised) -> Array:
        """X̂ in dγ = Σ Δ ∘ X̂."""
        return at.values

    def scaled(self, at: Standardised) -> Array:
        """Δ."""
        return at.D

    def terms(self, at: Standardised, parameter: str) -> Array:
        """Δ ∘ X̂ or Δ."""
        return np.asarray(self.scaled(at) * self.standardised(at)) if parameter == "gamma" else self.scaled(at)

    def summed(self, at: Standardised, terms: Array) -> Array:
        """The sum over all axes but that of the features."""
        return np.asarray(terms.sum(axis=at.summed_axes))

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        at = arrays_of(trace, layer)
        return self.summed(at, self.terms(at, parameter)) if self.is_possible(at) else None


class GammaGradientOfRawInput(ParameterMistake):
    """dγ = Σ Δ ∘ X."""

    slug = "gamma-gradient-of-raw-input"
    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    said = "is formed with x instead of the standardised x̂"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta \circ X"
    why = "γ multiplies x̂, not x, so its gradient contains x̂."
    unseen = "the layer's input is standardised already"

    def standardised(self, at: Standardised) -> Array:
        return at.X


class GammaGradientOfCentredInput(ParameterMistake):
    """dγ = Σ Δ ∘ (X − μ)."""

    slug = "gamma-gradient-of-centred-input"
    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    said = "is formed with x − μ instead of the standardised x̂"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta \circ (X - \mu)"
    why = "γ multiplies x̂ = (x − μ)/√(σ² + ε), so its gradient contains x̂."
    unseen = "every variance is 1"

    def is_possible(self, at: Standardised) -> bool:
        return bool(at.layer.subtracts_mean)

    def standardised(self, at: Standardised) -> Array:
        return np.asarray(at.values * at.deviation)


class GammaGradientOfResult(ParameterMistake):
    """dγ = Σ Δ ∘ Z."""

    slug = "gamma-gradient-of-result"
    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    said = "is formed with the layer's result instead of the standardised x̂"
    wrong = r"\frac{\partial L}{\partial \gamma} = \sum \delta \circ Z"
    why = "γ multiplies x̂, so its gradient contains x̂, from before γ and β were applied."
    unseen = "gamma is 1 and beta 0"

    def is_possible(self, at: Standardised) -> bool:
        return bool(at.layer.subtracts_mean)  # In rms_norm Z is γ x̂: `GammaInParameterGradient`.

    def standardised(self, at: Standardised) -> Array:
        return np.asarray(at.gamma * at.values + at.beta)


class GammaInParameterGradient(ParameterMistake):
    """dγ = Σ γ ∘ Δ ∘ X̂, dβ = Σ γ ∘ Δ."""

    slug = "gamma-in-parameter-gradient"
    said = "contains gamma, which belongs to the gradient of x̂ alone"
    wrong = r"\sum \gamma \circ \delta \quad \text{instead of} \quad \sum \delta"
    why = "Z = γ x̂ + β, so dβ = Σ δ and dγ = Σ δ x̂; only the gradient of x̂ contains γ."
    unseen = "every gamma is 1"

    def scaled(self, at: Standardised) -> Array:
        return np.asarray(at.gamma * at.D)


class GammaAndBetaSwapped(ParameterMistake):
    """dγ = Σ Δ, dβ = Σ Δ ∘ X̂."""

    slug = "gamma-and-beta-gradients-swapped"
    said = "is the gradient of the other of gamma and beta"
    wrong = r"\partial \gamma = \sum \delta, \quad \partial \beta = \sum \delta \circ \hat{X}"
    why = "γ multiplies x̂ and β is added: dγ = Σ δ x̂, dβ = Σ δ."
    unseen = "both gradients are equal"

    def is_possible(self, at: Standardised) -> bool:
        return bool(at.layer.subtracts_mean)  # rms_norm has no β.

    def terms(self, at: Standardised, parameter: str) -> Array:
        return super().terms(at, "beta" if parameter == "gamma" else "gamma")


class WrongSum(ParameterMistake):
    """Another sum than that over all axes but that of the features."""

    unseen = "the examples have one position"
    why = "γ and β hold one number for each feature, used in all examples and positions: their gradients sum over both."


class ParameterGradientMeanOverPositions(WrongSum):
    """The mean over positions, summed over the examples."""

    slug = "parameter-gradient-mean-over-positions"
    said = "is the mean over the positions instead of the sum"
    wrong = r"\frac{1}{T} \textstyle\sum_{i,t}"

    def is_possible(self, at: Standardised) -> bool:
        return at.positions > 1

    def summed(self, at: Standardised, terms: Array) -> Array:
        return super().summed(at, terms) / at.positions


class ParameterGradientMean(WrongSum):
    """The mean over examples and positions."""

    slug = "parameter-gradient-mean"
    said = "is the mean over examples and positions instead of the sum"
    wrong = r"\frac{1}{nT} \textstyle\sum_{i,t}"

    def is_possible(self, at: Standardised) -> bool:
        return at.positions > 1  # At one position it is `DividedByBatchSize`.

    def summed(self, at: Standardised, terms: Array) -> Array:
        return np.asarray(terms.mean(axis=at.summed_axes))


class ParameterGradientOverRoles(WrongSum):
    """The sum over other axes, which leaves a gradient of another shape."""

    slug = "parameter-gradient-over-wrong-axes"
    roles: ClassVar[tuple[str, ...]]

    def is_possible(self, at: Standardised) -> bool:
        axes = [role_axes(at, role) for role in self.roles]
        return all(axes) and {axis for each in axes for axis in each} != set(at.summed_axes)

    def summed(self, at: Standardised, terms: Array) -> Array:
        axes = tuple(axis for role in self.roles for axis in role_axes(at, role))
        return np.asarray(terms.sum(axis=axes)) if axes else terms


def _over() -> tuple[type[ParameterGradientOverRoles], ...]:
    found: list[type[ParameterGradientOverRoles]] = []
    for roles in (("examples",), ("positions",), ("features",), ("positions", "features"), ()):
        words = " and ".join(roles)
        fields = {
            "roles": roles,
            "said": f"is summed over the {words} alone" if roles else "is not summed",
            "wrong": rf"\textstyle\sum_{{\text{{{words}}}}}" if roles else r"\delta \circ \hat{X} \text{ or } \delta",
            "unseen": "the other axes have length 1",
        }
        name = "ParameterGradientOver" + ("And".join(role.title() for role in roles) or "Nothing")
        found.append(type(name, (ParameterGradientOverRoles,), fields))
    return tuple(found)


PARAMETERS: tuple[type[ParameterMistake], ...] = (
    GammaGradientOfRawInput,
    GammaGradientOfCentredInput,
    GammaGradientOfResult,
    GammaInParameterGradient,
    GammaAndBetaSwapped,
    ParameterGradientMeanOverPositions,
    ParameterGradientMean,
    *_over(),
)
