"""The mistakes in the terms through the mean and the variance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.normalisation.backward import NormalisationBackward, Standardised

_WHY = (
    "The mean and the variance depend on every x they are computed from: the gradient of each x is (G − mean(G) − x̂ mean(G "
    "x̂))/√(σ² + ε), G = γ δ (without mean(G) in rms_norm)."
)


class StatisticsAsConstants(NormalisationBackward):
    """∂L/∂X = γ Δ / √(σ² + ε)."""

    slug = "statistics-as-constants"
    said = "treats the statistics of layer '$above', its mean and variance, as constants"
    wrong = r"\frac{\partial L}{\partial X} = \frac{\gamma \circ \delta}{\sqrt{\sigma^2 + \epsilon}}"
    why = (
        "The mean and the variance depend on every x they are computed from, so the gradient of each x has two more "
        "terms, one through the mean and one through the variance."
    )

    def has_terms(self, at: Standardised) -> bool:
        return False


class OfMean(NormalisationBackward):
    """A mistake in the term through the mean, which rms_norm does not have."""

    def is_possible(self, at: Standardised) -> bool:
        return at.layer.subtracts_mean and super().is_possible(at)


class MeanTermMissing(OfMean):
    """Without the term through the mean."""

    slug = "mean-term-missing"
    said = "lacks the term through the mean of layer '$above'"
    wrong = (
        r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G - \hat{X} \circ \overline{G \circ \hat{X}} \right)"
    )
    why = "The mean depends on every x. Its term, − mean(G), makes the gradient sum to 0 over the numbers of each mean."

    def mean_term(self, at: Standardised) -> Array:
        return np.zeros(())


class MeanTermSign(OfMean):
    """The term through the mean added."""

    slug = "mean-term-sign"
    said = "adds the term through the mean of layer '$above' instead of subtracting it"
    wrong = (
        r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G + \overline{G} - \hat{X} \circ \overline{G \circ "
        r"\hat{X}} \right)"
    )
    why = "x̂ = (x − μ)/√(σ² + ε) falls where μ grows, so the term is − mean(G)."

    def mean_term(self, at: Standardised) -> Array:
        return -super().mean_term(at)


class VarianceTermMissing(OfMean):
    """Without the term through the variance; in rms_norm that leaves no term, which is `StatisticsAsConstants`."""

    slug = "variance-term-missing"
    said = "lacks the term through the variance of layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G - \overline{G} \right)"
    why = "The variance depends on every x. Its term, − x̂ mean(G x̂), makes the gradient orthogonal to x̂."

    def variance_term(self, at: Standardised) -> Array:
        return np.zeros(())


class VarianceTermFactor(NormalisationBackward):
    """The term through the variance with a wrong factor."""

    slug = "variance-term-factor"
    why = (
        "σ² = mean((x − μ)²) has the derivative 2(x − μ)/N, and (σ² + ε)^(−1/2) the derivative −½ (σ² + ε)^(−3/2): "
        "together the term is − x̂ mean(G x̂)/√(σ² + ε)."
    )
    power: ClassVar[int] = 0
    """The power of √(σ² + ε) in the factor."""
    constant: ClassVar[float] = 1.0

    def variance_term(self, at: Standardised) -> Array:
        return np.asarray(self.constant * super().variance_term(at) * at.deviation**self.power)


class VarianceTermOfRawInput(NormalisationBackward):
    """X ∘ mean(G ∘ X) in the term through the variance."""

    slug = "variance-term-of-raw-input"
    said = "contains x instead of the standardised x̂ in the term through the variance of layer '$above'"
    wrong = r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G - \overline{G} - X \circ \overline{G \circ X} \right)"
    why = "The variance is the mean of (x − μ)², whose derivative contains x − μ, and so x̂."
    unseen = "the layer's input is standardised already"

    def is_possible(self, at: Standardised) -> bool:
        return at.layer.subtracts_mean and super().is_possible(at)  # Without a mean, X is X̂ times √(σ² + ε).

    def variance_term(self, at: Standardised) -> Array:
        return np.asarray(at.X * self.mean(at, self.scaled(at) * at.X))


class VarianceTermCountMinusOne(NormalisationBackward):
    """The term through the variance with 1/(N − 1)."""

    slug = "variance-term-count-minus-one"
    said = "divides by N − 1 instead of N in the term through the variance of layer '$above'"
    wrong = r"\hat{X} \circ \frac{1}{N - 1} \textstyle\sum G \circ \hat{X}"
    why = "The layer's variance is the mean of (x − μ)² over N numbers, so its term is a mean over N numbers too."

    def is_possible(self, at: Standardised) -> bool:
        return at.count > 1 and super().is_possible(at)

    def variance_term(self, at: Standardised) -> Array:
        return np.asarray(super().variance_term(at) * (at.count / (at.count - 1)))


_FACTORS = (
    ("Doubled", "twice", "2", {"constant": 2.0}),
    ("Halved", "half of", "½", {"constant": 0.5}),
    ("Negative", "with the wrong sign", "−1", {"constant": -1.0}),
    ("Deviation", "√(σ² + ε) times", "√(σ² + ε), as with x − μ in the place of one x̂", {"power": 1}),
    ("Variance", "σ² + ε times", "σ² + ε, as with the power −1/2 for −3/2 or x − μ for both x̂", {"power": 2}),
)


def _factors() -> tuple[type[VarianceTermFactor], ...]:
    return tuple(
        type(
            f"VarianceTerm{name}",
            (VarianceTermFactor,),
            {
                "said": f"contains {how} the term through the variance of layer '$above' (a wrong factor of {factor})",
                "wrong": rf"\hat{{X}} \circ \overline{{G \circ \hat{{X}}}} \cdot c, \quad c = \text{{{factor}}}",
                **fields,
            },
        )
        for name, how, factor, fields in _FACTORS
    )


TERMS: tuple[type[NormalisationBackward], ...] = (
    StatisticsAsConstants,
    MeanTermMissing,
    MeanTermSign,
    VarianceTermMissing,
    *_factors(),
    VarianceTermOfRawInput,
    VarianceTermCountMinusOne,
)
