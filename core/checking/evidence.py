"""Evidence: whether the numbers that agree with a wrong formula are too many for a coincidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.mistakes.base import Fitted, Mistake
from core.checking.quantity import Quantity

FEWEST = 2
"""Fewest different numbers that a mistake must explain and the right rule does not."""

SURE = 2.0
"""Decimal digits of agreement that must remain as evidence after those that the choice among all mistakes explains."""


def is_sure(
    comparator: Comparator,
    yours: Mapping[Quantity, Array],
    right: Mapping[Quantity, Array],
    replayed: Mapping[Quantity, Array],
    tried: int,
    mistakes: Sequence[type[Mistake]],
) -> bool:
    """Return True if more digits agree than a choice among everything that was tried gives by chance.

    Only numbers count in which the wrong formula differs from the right one, and equal ones count once: one number in every
    place is one number. Zeros among other numbers show a pattern, each with a digit. One number is enough only if there is no
    more, as in the loss or the bias gradient of a single unit, and for that unit the mistake is one of the usual factors.
    """
    numbers: list[Array] = []
    zeros = 0
    for quantity, array in yours.items():
        wrong, expected = replayed[quantity], right[quantity]
        if expected.shape == wrong.shape:
            changed = np.abs(wrong - expected) > 4 * comparator.criterion.allowed(expected)
            numbers.append(array[changed & (wrong != 0)])
            zeros += int(np.count_nonzero(changed & (wrong == 0))) if wrong.any() else 0
        else:
            numbers.append(array[wrong != 0])
    apart = different(np.concatenate([np.ravel(each) for each in numbers]))
    fitted = any(issubclass(mistake, Fitted) for mistake in mistakes)
    only = sum(array.size for array in yours.values()) == 1
    usual = all(mistake.plain or quantity.part == "loss" for mistake in mistakes for quantity in yours)
    fewest = 1 if only and usual else FEWEST
    fewest += fitted
    if len(apart) + zeros < fewest:
        return False
    allowed = comparator.criterion.allowed(apart)
    digits = float(-np.log10(np.clip(allowed / apart, 1e-17, 1)).sum()) + zeros
    spent = math.log10(max(tried, 1)) + (3.0 if fitted else 0.0)
    return digits >= spent + SURE


def different(numbers: Array) -> Array:
    """Return the magnitudes of the numbers, each of equal ones once."""
    size = np.sort(np.abs(numbers))
    if not len(size):
        return size
    return np.asarray(size[np.diff(size, prepend=-np.inf) > 1e-9 * size])
