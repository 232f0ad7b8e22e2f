"""The mistakes in the means of the backward pass: over other axes than the statistics, or divided by another number."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.normalisation.backward import NormalisationBackward, Standardised

ROLES = ("examples", "positions", "features")
"""The axes of a tensor by what they are; positions are time steps or pixels."""


def role_axes(at: Standardised, role: str) -> tuple[int, ...]:
    """Return the axes of a role."""
    if role == "examples":
        return (0,)
    others = (0, at.feature_axis)
    return (at.feature_axis,) if role == "features" else tuple(k for k in range(at.X.ndim) if k not in others)


class MeansOverAxes(NormalisationBackward):
    """The means of both terms over other axes than those of the statistics."""

    slug = "means-over-wrong-axes"
    roles: ClassVar[tuple[str, ...]]
    """What the means run over."""
    unseen = "the means are equal"
    why = (
        "The mean and the variance of the forward pass are taken over certain axes (layer_norm and rms_norm: the features "
        "of each time step; batch_norm: examples and positions of each feature). Their terms in the gradient are means over "
        "the same axes."
    )

    def is_possible(self, at: Standardised) -> bool:
        axes = [role_axes(at, role) for role in self.roles]
        different = {axis for each in axes for axis in each} != set(at.axes)
        return all(axes) and different and super().is_possible(at)

    def mean(self, at: Standardised, terms: Array) -> Array:
        axes = tuple(axis for role in self.roles for axis in role_axes(at, role))
        return np.asarray(terms.mean(axis=axes, keepdims=True))


class MeansDividedOtherwise(NormalisationBackward):
    """The sums of the terms divided by another number than N."""

    slug = "means-divided-by-another-number"
    unseen = "that number is N"
    why = "Mean and variance are means over N numbers, so both terms are sums over these N numbers, divided by N."
    in_mean: ClassVar[bool] = True
    in_variance: ClassVar[bool] = True

    def divisor(self, at: Standardised) -> int:
        """Return the wrong number."""
        return 1

    def is_possible(self, at: Standardised) -> bool:
        needed = at.layer.subtracts_mean or (self.in_mean and self.in_variance)
        return needed and self.divisor(at) not in (0, at.count) and super().is_possible(at)

    def mean_term(self, at: Standardised) -> Array:
        return np.asarray(super().mean_term(at) * (at.count / self.divisor(at) if self.in_mean else 1))

    def variance_term(self, at: Standardised) -> Array:
        return np.asarray(super().variance_term(at) * (at.count / self.divisor(at) if self.in_variance else 1))


class SumsInsteadOfMeans(MeansDividedOtherwise):
    """The sums of both terms, not divided by N."""

    said = "contains sums instead of means in the terms through the statistics of layer '$above', without 1/N"
    wrong = r"\frac{1}{\sigma} \left( G - \textstyle\sum G - \hat{X} \circ \textstyle\sum G \circ \hat{X} \right)"


class SumInsteadOfMeanOfGradient(MeansDividedOtherwise):
    """The sum of the term through the mean, not divided by N."""

    said = "contains a sum instead of a mean in the term through the mean of layer '$above'"
    wrong = r"\frac{1}{\sigma} \left( G - \textstyle\sum G - \hat{X} \circ \overline{G \circ \hat{X}} \right)"
    in_variance = False


class SumInsteadOfMeanOfVariance(MeansDividedOtherwise):
    """The sum of the term through the variance, not divided by N."""

    said = "contains a sum instead of a mean in the term through the variance of layer '$above'"
    wrong = r"\frac{1}{\sigma} \left( G - \overline{G} - \hat{X} \circ \textstyle\sum G \circ \hat{X} \right)"
    in_mean = False


_DIVIDED_BY = (
    r"\frac{1}{\sigma} \left( G - \frac{1}{N} \textstyle\sum G - \hat{X} \circ \frac{1}{N} \textstyle\sum G \circ \hat{X} "
    r"\right)"
)


class MeansDividedByExamples(MeansDividedOtherwise):
    """Both sums divided by the number of examples."""

    said = "divides the sums in the terms through the statistics of layer '$above' by the number of examples, not N"
    wrong = _DIVIDED_BY.replace("N", "n")

    def divisor(self, at: Standardised) -> int:
        return int(at.X.shape[0])


class MeansDividedByAll(MeansDividedOtherwise):
    """Both sums divided by the number of all numbers."""

    said = "divides the sums in the terms through the statistics of layer '$above' by the number of all numbers, not N"
    wrong = _DIVIDED_BY.replace("N", "n f")

    def divisor(self, at: Standardised) -> int:
        return at.X.size


class MeansDividedByCountMinusOne(MeansDividedOtherwise):
    """Both sums divided by N − 1."""

    said = "divides the sums in the terms through the statistics of layer '$above' by N − 1 instead of N"
    wrong = _DIVIDED_BY.replace("N", "N - 1")

    def is_possible(self, at: Standardised) -> bool:
        return at.layer.subtracts_mean and super().is_possible(at)  # rms_norm: `VarianceTermCountMinusOne`.

    def divisor(self, at: Standardised) -> int:
        return at.count - 1


def _over_axes() -> tuple[type[MeansOverAxes], ...]:
    found: list[type[MeansOverAxes]] = []
    for size in (1, 2, 3):
        for roles in itertools.combinations(ROLES, size):
            words = " and ".join(roles) if size < 3 else "examples, positions and features"
            fields = {
                "roles": roles,
                "said": f"averages over {words} in the terms through the statistics of layer '$above', which its forward "
                "pass takes over other axes",
                "wrong": rf"\frac{{1}}{{\sigma}} \left( G - \overline{{G}} - \hat{{X}} \circ \overline{{G \circ \hat{{X}}}} "
                rf"\right) \quad \text{{with means over {words}}}",
            }
            found.append(type("MeansOver" + "And".join(role.title() for role in roles), (MeansOverAxes,), fields))
    return tuple(found)


MEANS: tuple[type[NormalisationBackward], ...] = (
    *_over_axes(),
    SumsInsteadOfMeans,
    SumInsteadOfMeanOfGradient,
    SumInsteadOfMeanOfVariance,
    MeansDividedByExamples,
    MeansDividedByAll,
    MeansDividedByCountMinusOne,
)
