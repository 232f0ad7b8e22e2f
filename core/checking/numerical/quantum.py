"""The quantum of rounded losses: with a small step a quotient is a whole multiple of ulp(L) / h, or of ulp(L) / 2h.

Both losses are multiples of the last place of L, and so is their difference, in whatever order a program sums.
The quantum is found from the numbers alone: by trying steps of one or two digits, then all parts of the largest number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.numerical.entry import Gradients
from core.checking.numerical.scheme import Numerical
from core.checking.numerical.step import COMMON

SAMPLE = 512
"""Number of values that are examined."""

DECIMALS = 6
"""Numbers with no more decimal places were rounded to them; float32 quotients may end after a few more by themselves."""

FEWEST = 3
"""Fewest different numbers in which a quantum shows."""

EVIDENCE = 50.0
"""Bits by which the numbers must be nearer to multiples than chance would bring them."""

NEAREST = 1e-6
"""Distance from a whole number, in quanta, that is always allowed."""

FARTHEST = 0.1
"""Distance from which on a number tells nothing."""

FIRST = 8
"""Number of values with which most quanta are ruled out."""

STEPS = {"float64": (1e-14, 1e-4), "float32": (1e-7, 0.3)}
"""The smallest and the largest step whose rounding shows, by the precision of the loss."""

CLOSE = 0.3
"""Share of the gradient below which the errors are said to be small."""

COARSE, FINE = 30.0, 3000.0
"""Largest error in quanta: where the numbers have few of them, and in general. A loss is a sum, each term is rounded."""

HALF, SHARE = 0.55, 0.05
"""A number that is only rounded is off by half a quantum; a difference of two rounded losses is off by more than that at
least in this share of the numbers."""

PARTS = 20_000
"""The largest number is divided by whole numbers up to this."""

USUAL = sorted({*COMMON, *(float(f"{digits}e{power}") for power in range(-15, 0) for digits in range(10, 100))})
"""The steps that are tried."""


class Quantum(NamedTuple):
    """The unit of the numbers, and how they were made."""

    size: float
    dtype: str
    step: float
    sides: int | None
    """1 or 2; None if either may be."""


def of_rounding(gradients: Gradients, loss: float) -> Numerical | None:
    """Recognise quotients that are made of the last digits of two losses.

    Args:
        gradients: the submission.
        loss: at the given point.
    """
    numbers = np.unique(np.abs(gradients.numbers(gradients.yours)))
    numbers = numbers[numbers > 0][:: max(1, len(numbers) // SAMPLE)]
    if not loss or len(numbers) < FEWEST or _is_rounded(numbers):
        return None
    slack = _slack(gradients, numbers)
    single = gradients.criterion.unit > np.finfo(np.float64).eps
    steps = {dtype: limits for dtype, limits in STEPS.items() if dtype == "float32" or not single}
    candidates = chain(_by_step(numbers, slack, abs(loss), steps), _by_division(numbers, slack, abs(loss), steps))
    found = next((each for each in candidates if _bits(numbers, slack, each.size) >= EVIDENCE), None)
    if found is None:
        return None
    factor = _factor(gradients, _coarsest(numbers, slack) or found.size)
    return None if factor is None else _name(gradients, found, factor)


def _is_rounded(numbers: Array) -> bool:
    """Return True if the numbers have few digits anyway: decimal ones, or those of a half precision."""
    with np.errstate(over="ignore"):
        half = numbers.astype(np.float16).astype(np.float64)
    bits = numbers.astype(np.float32).view(np.uint32)
    brain = numbers.astype(np.float32).astype(np.float64) == numbers
    exact = 4 * np.finfo(np.float32 if np.all(brain) else np.float64).eps * numbers
    few = any(
        bool(np.all(np.abs(np.round(numbers, places) - numbers) <= exact))
        for places in range(DECIMALS + 1)
        if np.mean(exact < 0.05 * 10.0**-places) > 0.5
    )
    return few or bool(np.all(half == numbers)) or bool(np.all(brain & (bits & 0xFFFF == 0)))


def _slack(gradients: Gradients, numbers: Array) -> Array:
    """Return the distance from a multiple that the rounding of the quotient itself explains."""
    slack = 2 * gradients.criterion.unit * numbers
    digits = gradients.criterion.digits
    return slack if digits is None else slack + digits.half_unit(numbers)


def _by_step(numbers: Array, slack: Array, loss: float, steps: Mapping[str, tuple[float, float]]) -> list[Quantum]:
    """Return the quanta of common steps, the largest first, since a part of a quantum divides the numbers too.

    One-sided differences with step h and central ones with step h/2 have the same quantum: the rounder step comes first.
    """
    found = []
    few, slack_of_few = _few(numbers), _few(slack)
    for dtype, (least, most) in steps.items():
        place = float(np.spacing(np.array(loss, dtype)))
        tried = np.array([step for step in USUAL if least <= step <= most])
        for sides in (2, 1):
            sizes = place / (sides * tried)
            divides = _divides(few, slack_of_few, sizes)
            found += [Quantum(place / (sides * step), dtype, float(step), sides) for step in tried[divides]]
    return sorted(found, key=lambda each: (-round(math.log(each.size), 6), not _is_power_of_ten(each.step)))


def _is_power_of_ten(step: float) -> bool:
    return step == float(f"1e{round(math.log10(step))}")


def _by_division(
    numbers: Array, slack: Array, loss: float, steps: Mapping[str, tuple[float, float]]
) -> Iterator[Quantum]:
    """Yield the quanta of which the largest number is a multiple that is not too large."""
    few, slack_of_few = _few(numbers), _few(slack)
    sizes = numbers[-1] / np.arange(1, PARTS + 1)
    for size in sizes[_divides(few, slack_of_few, sizes)]:
        for dtype, (least, most) in steps.items():
            step = float(np.spacing(np.array(loss, dtype)) / (2 * size))
            if least <= step <= most:
                yield Quantum(float(size), dtype, step, None)


def _few(numbers: Array) -> Array:
    """Return some of the numbers, small and large ones."""
    return numbers[:: max(1, len(numbers) // FIRST)]


def _divides(numbers: Array, slack: Array, sizes: Array) -> Array:
    """Return for each of several quanta whether a few numbers are multiples of it."""
    counts = numbers[:, None] / sizes
    allowed = NEAREST + slack[:, None] / sizes
    return np.asarray(np.all((np.abs(counts - np.rint(counts)) <= allowed) | (allowed > FARTHEST), axis=0))


def _bits(numbers: Array, slack: Array, size: float) -> float:
    """Return the evidence that all numbers are multiples of a quantum; 0 if some are not."""
    allowed = NEAREST + slack / size
    counts = numbers / size
    if np.any(np.abs(counts - np.rint(counts)) > allowed):
        return 0.0
    tell = allowed < FARTHEST
    if np.mean(tell) < 0.25:
        return 0.0
    return float(-np.log2(2 * allowed[tell]).sum())


def _coarsest(numbers: Array, slack: Array) -> float | None:
    """Return the largest quantum of the numbers, whatever the step; None if they have only very fine ones."""
    sizes = numbers[-1] / np.arange(1, PARTS + 1)
    sizes = sizes[_divides(_few(numbers), _few(slack), sizes)]
    return next((float(size) for size in sizes if _bits(numbers, slack, float(size)) >= EVIDENCE), None)


def _factor(gradients: Gradients, size: float) -> float | None:
    """Return the factor of the numbers, if the errors are those of rounding and the right gradient has no such quantum."""
    right = np.abs(gradients.numbers(gradients.right))
    counts = right[right > 0] / size
    if np.mean(np.abs(counts - np.rint(counts)) < 0.05) > 0.5 and counts.max(initial=0) > 1:
        return None
    yours, right = gradients.numbers(gradients.yours), gradients.numbers(gradients.right)
    for factor, most in ((1.0, COARSE), (1.0, FINE), (2.0, FINE), (0.5, FINE)):
        error = np.abs(yours - factor * right) / size
        if error.max() <= most and (most == COARSE or gradients.are_close(factor, CLOSE)):
            return factor if np.sum(error > HALF) >= max(2, SHARE * len(error)) else None
    return None


def _name(gradients: Gradients, found: Quantum, factor: float) -> Numerical:
    right = gradients.numbers(gradients.right)
    apart = np.linalg.norm(gradients.numbers(gradients.yours) / factor - right) / (np.linalg.norm(right) or 1.0)
    if factor != 1:
        step = f"about {found.step * (found.sides or 2) / (1 if factor == 2 else 2):.1g}"
        what = f"{'twice' if factor == 2 else 'half'} the differences of a {found.dtype} loss with a step of {step}"
        divisor = "h instead of 2h" if factor == 2 else "2h instead of h"
        return Numerical("difference-divided-wrongly", f"Your numbers are {what}, as if divided by {divisor}.")
    kind = {1: "one-sided", 2: "central", None: "numerical"}[found.sides]
    what = f"{kind} differences of a {found.dtype} loss with step {found.step:.3g}"
    if not found.sides:
        what = f"differences of a {found.dtype} loss with a step of about {found.step:.1g}"
    if found.dtype == "float32":
        return Numerical(
            "difference-in-float32",
            f"Your numbers are {what}, {'close everywhere, ' if apart < CLOSE else ''}off by {apart:.1g}: float32 leaves "
            "too few digits. Compute numerical gradients in float64.",
        )
    return Numerical(
        "difference-step-too-small",
        f"Your numbers are {what}: with so small a step the two losses are nearly equal. Use central differences with "
        "step 1e-5.",
    )
