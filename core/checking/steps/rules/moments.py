"""Mistakes in the moments of Adam and AdamW, and in the denominator of their step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.families import WithMoments
from core.optimizers import Optimizer
from core.optimizers.moments import ByMoments


class EpsilonInRoot(WithMoments):
    """√(v̂ + ε) in place of √v̂ + ε."""

    slug = "epsilon-inside-root"
    aspect = "denominator"
    said = "Your update adds ε inside the root"
    wrong = r"\sqrt{\hat v + \epsilon}"
    why = "Adam adds ε to the root, √v̂ + ε; inside the root it counts as √ε, 10⁻⁴ for 10⁻⁸."
    unseen = "ε is far below the size of the moments"

    def denominator(self, now: Moment, v: Array) -> Array:
        return np.asarray(np.sqrt(v + _epsilon(now)))


class EpsilonLeftOut(WithMoments):
    """√v̂ in place of √v̂ + ε."""

    slug = "epsilon-left-out"
    aspect = "denominator"
    said = "Your update leaves ε out"
    wrong = r"\sqrt{\hat v}"
    why = "ε keeps the denominator √v̂ + ε away from 0."
    unseen = "ε is far below the size of the moments"

    def denominator(self, now: Moment, v: Array) -> Array:
        return np.sqrt(v)


class RootLeftOut(WithMoments):
    """v̂ + ε in place of √v̂ + ε."""

    slug = "root-left-out"
    aspect = "denominator"
    said = "Your update divides by the second moment itself, without the root"
    wrong = r"\hat v + \epsilon"
    why = "v̂ is the average of g², so its root has the size of a gradient: the step is m̂ / (√v̂ + ε)."

    def denominator(self, now: Moment, v: Array) -> Array:
        return np.asarray(v + _epsilon(now))


class MomentsNotScaled(WithMoments):
    """β m + g in place of β m + (1 − β) g."""

    slug = "one-minus-beta-left-out"
    aspect = "moments"
    said = "Your moments take up g and g² without the factors 1 − β"
    wrong = r"m = \beta_1 m + g, \quad v = \beta_2 v + g^2"
    why = "The moments are running averages: β m + (1 − β) g and β v + (1 − β) g²."

    def first_moment(self, now: Moment, m: Array, g: Array) -> Array:
        return np.asarray(_betas(now)[0] * m + g)

    def second_moment(self, now: Moment, v: Array, g: Array) -> Array:
        return np.asarray(_betas(now)[1] * v + g * g)


class BetasSwapped(WithMoments):
    """β₁ and β₂ exchanged."""

    slug = "betas-swapped"
    aspect = "moments"
    said = "Your update uses β₁ and β₂ the other way round"
    wrong = r"m = \beta_2 m + (1 - \beta_2) g, \quad v = \beta_1 v + (1 - \beta_1) g^2"
    why = "β₁ belongs to the average of g, β₂, the longer memory, to that of g²."
    unseen = "in the first step the bias correction removes β altogether; send two steps"

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        found = super().optimizer(optimizer)
        if isinstance(found, ByMoments):
            return replace(found, beta1=found.beta2, beta2=found.beta1)
        return found


class FirstMomentLeftOut(WithMoments):
    """g in place of m̂."""

    slug = "first-moment-left-out"
    aspect = "moments"
    said = "Your update moves by the gradient instead of the first moment"
    wrong = r"\theta - \eta\, g / (\sqrt{\hat v} + \epsilon)"
    why = "Adam's step is the corrected average of the gradients m̂, divided by √v̂ + ε."
    unseen = "in the first step m̂ is the gradient; send two steps"

    def first_moment(self, now: Moment, m: Array, g: Array) -> Array:
        now.carried["gradient of Adam"] = g
        return super().first_moment(now, m, g)

    def corrected(self, now: Moment, moment: Array, beta: float, order: int) -> Array:
        return now.carried["gradient of Adam"] if order == 1 else super().corrected(now, moment, beta, order)


class MomentsNotKept(WithMoments):
    """The moments start at 0 in every step."""

    slug = "moments-not-kept"
    aspect = "moments"
    said = "Your moments start at 0 again in every step"
    wrong = r"m = (1 - \beta_1) g, \quad v = (1 - \beta_2) g^2"
    why = "m and v must be kept from step to step, for each parameter its own."
    unseen = "in the first step the moments start at 0; send two steps"

    def first_moment(self, now: Moment, m: Array, g: Array) -> Array:
        return super().first_moment(now, np.zeros_like(m), g)

    def second_moment(self, now: Moment, v: Array, g: Array) -> Array:
        return super().second_moment(now, np.zeros_like(v), g)


def _epsilon(now: Moment) -> float:
    return now.optimizer.epsilon if isinstance(now.optimizer, ByMoments) else 0.0


def _betas(now: Moment) -> tuple[float, float]:
    return (now.optimizer.beta1, now.optimizer.beta2) if isinstance(now.optimizer, ByMoments) else (0.0, 0.0)


MOMENTS: tuple[type[WithMoments], ...] = (
    EpsilonInRoot,
    EpsilonLeftOut,
    RootLeftOut,
    MomentsNotScaled,
    BetasSwapped,
    FirstMomentLeftOut,
    MomentsNotKept,
)
