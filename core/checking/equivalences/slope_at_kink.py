"""slope-at-kink: another subgradient where a derivative jumps, such as relu'(0) = 1 or ½."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.slopes.choice import Choice
from core.checking.slopes.fit import fitted
from core.checking.submission import SubmissionSpec
from core.problem import Problem

WHOLE = 0.99
"""Shares of a delta that are not less than this are all of it, but for the rounding of the submission."""


class SlopeAtKink(Equivalence):
    """Any number between the one-sided derivatives, for each number at a kink: of a function, a pool or a loss."""

    slug = "slope-at-kink"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        if found := fitted(reading.problem, reading.sent):
            problem, choices = found
            yield problem, reading.sent, " ".join(_said(each) for each in choices if not np.allclose(each.x, each.own))


def _said(choice: Choice) -> str:
    if choice.windows is not None:
        return _shared(choice)
    slopes, own = choice.slopes, choice.low + choice.own * (choice.high - choice.low)
    return (
        f"At a kink ({choice.what}) your slope is {_range(slopes)}; this service uses {_range(own)}. Every slope from "
        f"{choice.low.min():.4g} to {choice.high.max():.4g} is right there."
    )


def _shared(choice: Choice) -> str:
    """Return how the delta of a window of a pool is shared among its largest numbers."""
    where = f"In the {choice.what}, "
    own = "sends it to the first" if choice.own.max() == 1 else "gives equal parts to all"
    if choice.slopes.min() >= WHOLE:
        return (
            f"{where}what you send back is the sum over the ties: each of them, up to {choice.ties.max()} in a window, "
            f"receives the whole delta. This service {own}. Only shares that add up to 1 make a "
            f"subgradient, but the sum over the ties is a usual way to write a pool and is not counted as a mistake."
        )
    own = "gives all of it to the first" if choice.own.max() == 1 else "gives equal parts to all"
    return (
        f"{where}your shares of the delta are {_range(choice.slopes)}; this service {own}. Every way to share it is right "
        f"there."
    )


def _range(slopes: np.ndarray) -> str:
    least, largest = f"{slopes.min() + 0.0:.4g}", f"{slopes.max() + 0.0:.4g}"
    return least if least == largest else f"from {least} to {largest}"
