"""The mistakes in γ, and in the factor 1/√(σ² + ε) of the whole gradient."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.normalisation.backward import NormalisationBackward, Standardised


class GammaLeftOut(NormalisationBackward):
    """The gradient with γ = 1."""

    slug = "gamma-left-out"
    said = "passed back through layer '$above' without its gamma"
    wrong = r"G = \delta \quad \text{instead of} \quad \gamma \circ \delta"
    why = "The layer multiplies x̂ by γ, so the backward pass multiplies the gradient by γ."
    unseen = "every gamma is 1"
    in_terms = False

    def scaled(self, at: Standardised) -> Array:
        return at.D


class GammaOutside(NormalisationBackward):
    """γ ∘ (Δ − mean(Δ) − X̂ ∘ mean(Δ ∘ X̂))/√(σ² + ε), where the means run over different γ."""

    slug = "gamma-outside-the-means"
    said = "is multiplied by the gamma of layer '$above' after the means are subtracted, not before"
    wrong = (
        r"\frac{\gamma}{\sigma} \circ \left( \delta - \overline{\delta} - \hat{X} \circ \overline{\delta \circ \hat{X}} "
        r"\right)"
    )
    why = (
        "The means run over the features, each of which has a γ of its own, so γ multiplies δ before they are taken. In "
        "batch_norm γ is the same for all numbers of a mean, and both orders agree."
    )
    unseen = "every gamma is equal"

    def is_possible(self, at: Standardised) -> bool:
        return at.feature_axis in at.axes and super().is_possible(at)

    def scaled(self, at: Standardised) -> Array:
        return at.D

    def reciprocal(self, at: Standardised) -> Array:
        return np.asarray(at.gamma * super().reciprocal(at))


class GammaLeftOutOfTerms(NormalisationBackward):
    """γ in some terms of the gradient but not in others."""

    slug = "gamma-left-out-of-a-term"
    why = "The layer multiplies x̂ by γ, so G = γ δ stands in every term: G − mean(G) − x̂ mean(G x̂)."
    unseen = "every gamma is 1"
    lacking: ClassVar[tuple[str, ...]]
    """The terms without γ: direct, mean, variance."""

    def is_possible(self, at: Standardised) -> bool:
        return (at.layer.subtracts_mean or "mean" not in self.lacking) and super().is_possible(at)

    def direct(self, at: Standardised) -> Array:
        return at.D if "direct" in self.lacking else super().direct(at)

    def mean_term(self, at: Standardised) -> Array:
        return self.mean(at, at.D) if "mean" in self.lacking else super().mean_term(at)

    def variance_term(self, at: Standardised) -> Array:
        if "variance" not in self.lacking:
            return super().variance_term(at)
        return np.asarray(at.values * self.mean(at, at.D * at.values))


class WrongMultiplier(NormalisationBackward):
    """Another factor than 1/√(σ² + ε)."""

    slug = "normalisation-divisor-wrong"
    why = "x̂ = (x − μ)/√(σ² + ε), so the gradient by x is divided by the same √(σ² + ε)."
    unseen = "every variance is 1"
    in_terms = False


class DivisorLeftOut(WrongMultiplier):
    """Without the division."""

    slug = "normalisation-divisor-left-out"
    said = "lacks the division by √(σ² + ε) of layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = G - \overline{G} - \hat{X} \circ \overline{G \circ \hat{X}}"

    def reciprocal(self, at: Standardised) -> Array:
        return np.ones(())


class MultipliedByDeviation(WrongMultiplier):
    """Multiplied by √(σ² + ε)."""

    slug = "multiplied-by-deviation"
    said = "is multiplied by √(σ² + ε) of layer '$above' instead of divided by it"
    wrong = r"\sqrt{\sigma^2 + \epsilon} \left( G - \overline{G} - \hat{X} \circ \overline{G \circ \hat{X}} \right)"

    def reciprocal(self, at: Standardised) -> Array:
        return at.deviation


class DividedByVariance(WrongMultiplier):
    """Divided by σ² + ε."""

    slug = "divided-by-variance"
    said = "is divided by σ² + ε of layer '$above', without the square root"
    wrong = r"\frac{1}{\sigma^2 + \epsilon} \left( G - \overline{G} - \hat{X} \circ \overline{G \circ \hat{X}} \right)"

    def reciprocal(self, at: Standardised) -> Array:
        return np.asarray(1 / at.deviation**2)


class UnbiasedDeviation(WrongMultiplier):
    """Divided by the sample deviation, with N − 1."""

    slug = "unbiased-variance-backward"
    said = "is divided by the sample deviation of layer '$above', with N − 1, where the forward pass has N"
    wrong = r"\sigma^2 = \frac{1}{N - 1} \textstyle\sum (x - \mu)^2 \text{ in the backward pass alone}"
    in_terms = True

    def is_possible(self, at: Standardised) -> bool:
        return at.count > 1 and super().is_possible(at)

    def reciprocal(self, at: Standardised) -> Array:
        variance = at.deviation**2 - at.layer.epsilon
        return np.asarray(1 / np.sqrt(variance * at.count / (at.count - 1) + at.layer.epsilon))


class EpsilonLeftOut(WrongMultiplier):
    """Divided by σ, in the factor of the whole alone."""

    slug = "epsilon-left-out-backward"
    said = "lacks the ε of layer '$above'"
    wrong = r"\frac{1}{\sqrt{\sigma^2}} \left( G - \overline{G} - \hat{X} \circ \overline{G \circ \hat{X}} \right)"
    unseen = "ε is too small beside the variances"

    def is_possible(self, at: Standardised) -> bool:
        return at.layer.epsilon > 0 and bool(np.all(at.deviation**2 > at.layer.epsilon)) and super().is_possible(at)

    def reciprocal(self, at: Standardised) -> Array:
        return np.asarray(1 / np.sqrt(at.deviation**2 - at.layer.epsilon))


class EpsilonLeftOutEverywhere(EpsilonLeftOut):
    """Divided by σ, in X̂ too."""

    said = "lacks the ε of layer '$above', also in x̂"
    in_terms = True

    def variance_term(self, at: Standardised) -> Array:
        return np.asarray(super().variance_term(at) * (at.deviation * self.reciprocal(at)) ** 2)


_TERMS = {"direct": "its own term", "mean": "the term through the mean", "variance": "the term through the variance"}


def _terms() -> tuple[type[GammaLeftOutOfTerms], ...]:
    found: list[type[GammaLeftOutOfTerms]] = []
    for lacking in (("mean", "variance"), ("variance",), ("mean",), ("direct",)):
        first, second, third = (r"\delta" if term in lacking else r"\gamma \circ \delta" for term in _TERMS)
        fields = {
            "lacking": lacking,
            "said": f"lacks the gamma of layer '$above' in {' and '.join(_TERMS[term] for term in lacking)}",
            "wrong": rf"\frac{{1}}{{\sigma}} \left( {first} - \overline{{{second}}} - \hat{{X}} \circ \overline{{{third} "
            r"\circ \hat{X}} \right)",
        }
        found.append(type("GammaLeftOutOf" + "And".join(map(str.title, lacking)), (GammaLeftOutOfTerms,), fields))
    return tuple(found)


SCALE: tuple[type[NormalisationBackward], ...] = (
    GammaLeftOut,
    GammaOutside,
    *_terms(),
    DivisorLeftOut,
    MultipliedByDeviation,
    DividedByVariance,
    UnbiasedDeviation,
    EpsilonLeftOut,
    EpsilonLeftOutEverywhere,
)
