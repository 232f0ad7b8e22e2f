"""Evidence: whether the numbers that a rule gives are too many for a coincidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.arrays import Array
from core.checking.steps.agreement import Agreement, Key
from core.checking.steps.replay import Predicted

FEWEST = 3
"""The fewest wrong numbers that a rule must give where it is not a rule for all parameters."""

SURE = 2.0
"""Decimal digits of agreement that must remain after those that the choice among all tried rules explains."""

SIGN = math.log10(2)
"""What the sign of an update says, in decimal digits."""

SAME = 1e-6
"""Updates of which one exceeds the next smaller one by less than this part of it have one length."""


class Evidence:
    """Judges rules by the submitted updates that they explain and the right rule does not."""

    def __init__(self, agreement: Agreement, right: Sequence[Predicted]) -> None:
        self._agreement, self._right = agreement, right

    def is_sure(self, replayed: Sequence[Predicted], keys: Sequence[Key], tried: int, fewest: int = FEWEST) -> bool:
        """Return whether a rule gives more than a choice among so many rules gives by chance.

        A number counts where the rule differs from the right one by more than rounding. The lengths of the updates must
        come out, each of equal ones once, and the longest not at all: the first step of Adam has the length η whatever the
        gradient is. Beyond its length an update has its sign.
        """
        lengths, tolerances = [np.zeros(0)], [np.zeros(0)]
        for number, (own, other) in enumerate(zip(self._right, replayed, strict=True)):
            tolerance = self._agreement.tolerance(number)
            for key in keys:
                part = self._agreement.course.layout.slices[key]
                if not self._agreement.course.points[number].theta.known[part].all():
                    continue
                apart = np.abs(other.theta[part] - own.theta[part]) > 2 * tolerance[part]
                lengths.append(np.abs(other.theta[part] - other.before[part])[apart])
                tolerances.append(tolerance[part][apart])
        length, tolerance = np.concatenate(lengths), np.concatenate(tolerances)
        if len(length) < fewest or not np.isfinite(length).all():
            return False
        digits = SIGN * len(length) + _digits(length, tolerance)
        return digits >= math.log10(max(tried, 1)) + SURE


def _digits(length: Array, tolerance: Array) -> float:
    """Return the decimal digits in which different lengths agree."""
    order = np.argsort(length)
    length, tolerance = length[order], tolerance[order]
    different = np.diff(length, append=np.inf) > SAME * length + tolerance
    different[-1] = False
    return float(np.log10(np.clip(length / np.maximum(tolerance, 1e-300), 1, 1e17))[different].sum())
