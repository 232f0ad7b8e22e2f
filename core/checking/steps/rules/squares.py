"""Mistakes in the squared gradients of RMSprop and Adagrad."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.families import WithSquares
from core.optimizers.adagrad import Adagrad
from core.optimizers.rmsprop import Rmsprop


def _epsilon(now: Moment) -> float:
    return now.optimizer.epsilon if isinstance(now.optimizer, Rmsprop | Adagrad) else 0.0


class _OfAverage(WithSquares):
    """A mistake of RMSprop's running average."""

    aspect = "squares"

    def applies(self, now: Moment) -> bool:
        return isinstance(now.optimizer, Rmsprop)


class StartedAtSquare(_OfAverage):
    """s = g² in the first step."""

    slug = "average-started-at-square"
    said = "Your running average starts at g² instead of 0"
    wrong = r"s_1 = g^2"
    why = "The average starts at 0: its first value is (1 − α) g², so that the first step has the length η / √(1 − α)."
    unseen = "these steps do not contain the first one"

    def squares(self, now: Moment, s: Array, g: Array) -> Array:
        return g * g if now.t == 1 else super().squares(now, s, g)


class AverageNotScaled(_OfAverage):
    """s ← α s + g²."""

    slug = "one-minus-alpha-left-out"
    said = "Your running average takes up g² without the factor 1 − α"
    wrong = r"\alpha s + g^2"
    why = "A running average is α s + (1 − α) g²: the two weights add up to 1."

    def squares(self, now: Moment, s: Array, g: Array) -> Array:
        assert isinstance(now.optimizer, Rmsprop)  # noqa: S101  # It applies to RMSprop alone.
        return np.asarray(now.optimizer.alpha * s + g * g)


class AlphaExchanged(_OfAverage):
    """s ← (1 − α) s + α g²."""

    slug = "alpha-exchanged"
    said = "Your running average has α and 1 − α the other way round"
    wrong = r"(1 - \alpha) s + \alpha g^2"
    why = "α, close to 1, is the weight of the past: s ← α s + (1 − α) g²."

    def squares(self, now: Moment, s: Array, g: Array) -> Array:
        assert isinstance(now.optimizer, Rmsprop)  # noqa: S101  # It applies to RMSprop alone.
        return np.asarray((1 - now.optimizer.alpha) * s + now.optimizer.alpha * g * g)


class SquaresNotKept(WithSquares):
    """s starts at 0 in every step."""

    slug = "squares-not-kept"
    aspect = "squares"
    said = "Your squared gradients start at 0 again in every step"
    wrong = r"s_{t-1} = 0"
    why = "s must be kept from step to step, for each parameter its own."
    unseen = "in the first step s starts at 0; send two steps"

    def squares(self, now: Moment, s: Array, g: Array) -> Array:
        return super().squares(now, np.zeros_like(s), g)


class DividedBySquares(WithSquares):
    """s + ε in place of √s + ε."""

    slug = "root-left-out"
    aspect = "denominator"
    said = "Your update divides by the squared gradients themselves, without the root"
    wrong = r"s + \epsilon"
    why = "s has the size of g²; its root has the size of a gradient: the step is g / (√s + ε)."

    def denominator(self, now: Moment, size: Array) -> Array:
        return np.asarray(size + _epsilon(now))


class EpsilonOfSquaresLeftOut(WithSquares):
    """√s in place of √s + ε."""

    slug = "epsilon-left-out"
    aspect = "denominator"
    said = "Your update leaves ε out"
    wrong = r"\sqrt{s}"
    why = "ε keeps the denominator away from 0."
    unseen = "ε is far below the size of the squared gradients"

    def denominator(self, now: Moment, size: Array) -> Array:
        return np.sqrt(size)


SQUARES: tuple[type[WithSquares], ...] = (
    StartedAtSquare,
    AverageNotScaled,
    AlphaExchanged,
    SquaresNotKept,
    DividedBySquares,
    EpsilonOfSquaresLeftOut,
)
