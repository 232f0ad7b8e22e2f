"""The step of a difference quotient, worked out from its error.

To first order the error of entry k is h (½ (ahead + behind) H_kk + left Σ_j H_kj), where j runs over the numbers that stay
moved; that of a central difference at the given point is h²/6 ∂³L/∂θ_k³. A few rows of the Hessian H are enough, and
they come from gradients: H_k = (∇L(θ + ε e_k) − ∇L(θ − ε e_k)) / 2ε. Where a step crosses a kink there is no such
series, and the step is searched for among the powers of ten.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.numerical.entry import Entry, Gradients
from core.checking.numerical.scheme import Scheme
from core.checking.numerical.surface import Surface
from core.checking.quantity import Quantity

EPSILON = 1e-3
"""The step between the gradients whose differences are the rows of the Hessian."""

DECADES = tuple(10.0**-power for power in range(1, 8))
"""Steps that are tried where the series does not hold."""

HALVINGS = 12
"""Number of times that the interval between two of them is narrowed."""


class Curvature(NamedTuple):
    """The second and third derivatives at one entry."""

    entry: Entry
    row: dict[Quantity, Array]
    """Its row of the Hessian."""

    third: float
    """∂³L/∂θ³ in the entry itself."""

    @property
    def own(self) -> float:
        """∂²L/∂θ² in the entry itself."""
        return float(self.row[self.entry.quantity][self.entry.at])


def curvatures(surface: Surface, gradients: Gradients, entries: Sequence[Entry]) -> list[Curvature]:
    """Return the derivatives at some entries, by two backward passes each."""
    found = []
    for entry in entries:
        ahead = surface.gradients(entry, EPSILON, gradients.yours)
        behind = surface.gradients(entry, -EPSILON, gradients.yours)
        row = {quantity: (ahead[quantity] - behind[quantity]) / (2 * EPSILON) for quantity in ahead}
        both = float(ahead[entry.quantity][entry.at] + behind[entry.quantity][entry.at])
        found.append(Curvature(entry, row, (both - 2 * entry.right) / EPSILON**2))
    return found


def estimate(scheme: Scheme, known: Sequence[Curvature]) -> tuple[float, float]:
    """Return the step with which the scheme has errors most like those of the entries, and the share it leaves of them."""
    error = np.array([each.entry.yours / scheme.factor - each.entry.right for each in known])
    slope = np.array([_slope(scheme, each) for each in known])
    square = float(slope @ slope)
    multiple = max(0.0, float(error @ slope) / square) if square > 0 else 0.0
    share = float(np.linalg.norm(error - multiple * slope) / np.linalg.norm(error)) if error.any() else 1.0
    return multiple if scheme.is_first_order else math.sqrt(multiple), share


def _slope(scheme: Scheme, known: Curvature) -> float:
    """Return the error with step 1, by the first term of its series."""
    if not scheme.is_first_order:
        return known.third / 6
    drift = 0.0
    if scheme.path:
        before = scheme.path.before(known.entry)
        drift = sum(float(np.sum(mask * known.row[quantity])) for quantity, mask in before.items())
    return 0.5 * (scheme.ahead + scheme.behind) * known.own + scheme.left * drift


def refined(surface: Surface, scheme: Scheme, entry: Entry, step: float) -> float:
    """Return the step with which the scheme makes the error of one entry, starting near it."""
    order = 1 if scheme.is_first_order else 2
    for _ in range(4):
        made = scheme.quotient(surface, entry, step) - scheme.factor * entry.right
        ratio = (entry.yours - scheme.factor * entry.right) / made if made else 0.0
        if not 0.2 < ratio < 5:
            break
        step *= ratio ** (1 / order)
    return step


def across_a_kink(surface: Surface, scheme: Scheme, entry: Entry, made: dict[float, float]) -> Iterator[float]:
    """Yield steps with which the scheme makes the error of one entry, wherever a kink may be.

    Args:
        surface: the loss.
        scheme: the way of writing.
        entry: one with a large error.
        made: the quotients by step, as far as they are known, largest step first.
    """
    off = {step: quotient - entry.yours for step, quotient in made.items()}
    yield from (step for step in off if abs(off[step]) <= 0.03 * abs(entry.yours / scheme.factor - entry.right))
    for high, low in pairwise(DECADES):
        if off[high] * off[low] < 0:
            yield from likely(_between(surface, scheme, entry, low, high))


def _between(surface: Surface, scheme: Scheme, entry: Entry, low: float, high: float) -> float:
    """Return the step between two at which the quotient is the submitted number, by bisection in log h."""
    sign = scheme.quotient(surface, entry, high) > entry.yours
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        if (scheme.quotient(surface, entry, middle) > entry.yours) == sign:
            high = middle
        else:
            low = middle
    return math.sqrt(low * high)


def likely(step: float) -> list[float]:
    """Return common step sizes near the estimated one, and the estimate itself."""
    if not 1e-12 < step < 1:
        return []
    near = [each for each in COMMON if 0.7 < each / step < 1.4]
    return [*sorted(near, key=lambda each: abs(math.log(each / step))), step]


COMMON = [
    *(float(f"{digit}e{power}") for power in range(-15, 1) for digit in (1, 2, 5)),
    *(2.0**-power for power in range(1, 50)),
    2.0 ** (-52 / 3),
]
"""The steps that people choose; the last two kinds include the roots of the unit roundoff."""
