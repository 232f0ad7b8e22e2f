"""Replay: the quotients of a scheme with some step are computed and have to be the submitted numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.checking.numerical.entry import Entry, Gradients, size_of
from core.checking.numerical.scheme import Scheme
from core.checking.numerical.surface import Surface
from core.checking.quantity import Quantity

SAMPLE = 24
"""Number of entries with the largest errors that are replayed, and of entries drawn at random."""

SEED = 0
"""Of the draw."""

FEWEST = 3
"""Fewest numbers whose error is much larger than rounding."""

EVIDENCE = 24.0
"""Bits by which they must be nearer to the quotients than to those of a smaller step, all together."""

REPRODUCED = 0.02
"""Share of the error that may remain."""

UNITS = 8
"""Rounding of a loss, in units of its last place."""


def reproduces(surface: Surface, gradients: Gradients, scheme: Scheme, step: float) -> bool:
    """Return True if all submitted gradients are this scheme's quotients with this step.

    A quotient with a tenth of the step has less of the error. It must not fit as well: else nothing shows that the
    numbers are quotients at all, and a slope on one side of a kink would be taken for a one-sided difference.
    """
    worst = gradients.worst(scheme.factor, SAMPLE, SAMPLE)
    noise = UNITS * gradients.criterion.unit * abs(surface.here) / step
    apart: dict[Quantity, list[tuple[Entry, float, float]]] = {}
    shown: list[float] = []
    for entry in worst:
        rounding = noise + entry.slack
        left = abs(scheme.quotient(surface, entry, step) - entry.yours)
        error = abs(entry.yours - scheme.factor * entry.right)
        if left > 0.1 * error + rounding:
            return False
        smaller = abs(scheme.quotient(surface, entry, step / 10) - entry.yours)
        if smaller > 8 * rounding:
            shown.append(math.log2(smaller / (left + rounding)))
        apart.setdefault(entry.quantity, []).append((entry, left, smaller))
    if len(shown) < FEWEST or sum(shown) < EVIDENCE:
        return False
    return all(_fits(part, noise) for part in apart.values()) and _fits_at_random(
        surface, gradients, scheme, step, noise
    )


def _fits(part: Sequence[tuple[Entry, float, float]], noise: float) -> bool:
    """Return True if what is left of the error in one tensor is small, or rounding."""
    rounding = size_of(noise + entry.slack for entry, _, _ in part)
    return size_of(left for _, left, _ in part) <= REPRODUCED * size_of(error for _, _, error in part) + rounding


def _fits_at_random(surface: Surface, gradients: Gradients, scheme: Scheme, step: float, noise: float) -> bool:
    """Return True if the scheme makes numbers drawn from all tensors, from those that are right as well."""
    largest = {
        quantity: float(np.abs(gradients.yours[quantity] - scheme.factor * gradients.right[quantity]).max(initial=0))
        for quantity in gradients.yours
    }
    for entry in gradients.sample(SAMPLE, SEED):
        left = abs(scheme.quotient(surface, entry, step) - entry.yours)
        if left > REPRODUCED * largest[entry.quantity] + noise + entry.slack:
            return False
    return True
