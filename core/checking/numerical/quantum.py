"""The quantum of rounded losses: with a small step a quotient is a whole multiple of ulp(L) / h, or of ulp(L) / 2h.

Both losses are multiples of the last place of L, and so is their difference, in whatever order a program sums.
The quantum is found from the numbers alone: by trying common steps, and as their greatest common divisor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.numerical.entry import Gradients
from core.checking.numerical.scheme import Numerical
from core.checking.numerical.step import COMMON
from core.checking.precision import digits_of

SAMPLE = 512
"""Number of values that are examined."""

EVIDENCE = 40.0
"""Bits by which the numbers must be nearer to multiples than chance would bring them."""

NEAREST = 1e-3
"""Distance from a whole number, in quanta, that is always allowed."""

FARTHEST = 0.1
"""Distance at which a number is no longer taken for a multiple."""

STEPS = {"float64": (1e-14, 1e-5), "float32": (1e-7, 0.3)}
"""The smallest and the largest step whose rounding shows, by the precision of the loss."""

CLOSE = 0.3
"""Share of the gradient that the errors may be, if the rounding is small."""

COARSE = 30.0
"""Largest error in quanta, if it is large: a loss is a sum, and each of its terms is rounded."""


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
    if not loss or len(numbers) < 4 or _is_rounded(numbers):
        return None
    slack = _slack(gradients, numbers)
    for found in [*_by_step(numbers, slack, abs(loss)), *_by_division(numbers, slack, abs(loss))]:
        if _bits(numbers, slack, found.size) >= EVIDENCE and _is_made_by(gradients, found):
            return _name(gradients, found)
    return None


def _is_rounded(numbers: Array) -> bool:
    """Return True if the numbers have few digits anyway: decimal ones, or those of a half precision."""
    with np.errstate(over="ignore"):
        half = numbers.astype(np.float16).astype(np.float64)
    bits = numbers.astype(np.float32).view(np.uint32)
    brain = numbers.astype(np.float32).astype(np.float64) == numbers
    digits = digits_of([numbers])
    few = digits is not None and digits.decimals is not None
    return few or bool(np.all(half == numbers)) or bool(np.all(brain & (bits & 0xFFFF == 0)))


def _slack(gradients: Gradients, numbers: Array) -> Array:
    """Return the distance from a multiple that the rounding of the quotient itself explains."""
    slack = 2 * gradients.criterion.unit * numbers
    digits = gradients.criterion.digits
    return slack if digits is None else slack + digits.half_unit(numbers)


def _by_step(numbers: Array, slack: Array, loss: float) -> list[Quantum]:
    """Return the quanta of common steps, the largest first, since a part of a quantum divides the numbers too.

    One-sided differences with step h and central ones with step h/2 have the same quantum: the rounder step comes first.
    """
    found = []
    for dtype, (least, most) in STEPS.items():
        place = float(np.spacing(np.array(loss, dtype)))
        for step in COMMON:
            for sides in (2, 1):
                size = place / (sides * step)
                if least <= step <= most and slack.max() < FARTHEST * size:
                    found.append(Quantum(size, dtype, step, sides))
    return sorted(found, key=lambda each: (-round(math.log(each.size), 6), not _is_power_of_ten(each.step)))


def _is_power_of_ten(step: float) -> bool:
    return step == float(f"1e{round(math.log10(step))}")


def _by_division(numbers: Array, slack: Array, loss: float) -> Iterator[Quantum]:
    """Yield the quantum that is the greatest common divisor of the numbers, by Euclid's algorithm."""
    floor = float(numbers.max()) * math.sqrt(30 * float((slack / numbers).max()))
    divisor = 0.0
    for number in numbers[::-1]:
        larger, smaller = float(number), divisor
        while smaller > floor / 4:
            larger, smaller = smaller, abs(larger - smaller * round(larger / smaller))
        divisor = larger
        if divisor < floor:
            return
    counts = np.rint(numbers / divisor)
    divisor = float(numbers @ counts / (counts @ counts))
    for dtype, (least, most) in STEPS.items():
        step = float(np.spacing(np.array(loss, dtype))) / (2 * divisor)
        if least <= step <= most:
            yield Quantum(divisor, dtype, step, None)


def _bits(numbers: Array, slack: Array, size: float) -> float:
    """Return the evidence that all numbers are multiples of a quantum; 0 if some are not."""
    allowed = NEAREST + slack / size
    counts = numbers / size
    if allowed.max() > FARTHEST or np.any(np.abs(counts - np.rint(counts)) > allowed):
        return 0.0
    return float(-np.log2(2 * allowed).sum())


def _is_made_by(gradients: Gradients, found: Quantum) -> bool:
    """Return True if the right gradient has no such quantum, and the errors are those of its rounding."""
    right = np.abs(gradients.numbers(gradients.right))
    counts = right[right > 0] / found.size
    if np.mean(np.abs(counts - np.rint(counts)) < 0.05) > 0.5 and counts.max(initial=0) > 1:
        return False
    error = np.abs(gradients.numbers(gradients.yours) - gradients.numbers(gradients.right))
    return gradients.are_close(1.0, CLOSE) or bool(error.max() <= COARSE * found.size)


def _name(gradients: Gradients, found: Quantum) -> Numerical:
    right = gradients.numbers(gradients.right)
    apart = np.linalg.norm(gradients.numbers(gradients.yours) - right) / (np.linalg.norm(right) or 1.0)
    kind = {1: "one-sided", 2: "central", None: "numerical"}[found.sides]
    about = "step about" if found.sides is None else "step"
    step = f"{found.step:.3g}" if found.sides else f"{found.step:.1g}"
    what = f"{kind} differences of a {found.dtype} loss with {about} {step}"
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
