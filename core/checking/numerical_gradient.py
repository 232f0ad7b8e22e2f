"""Numerical gradients: finite differences that were submitted are recognised, and no backpropagation is blamed for them.

    one-sided     (L(θ + h) − L(θ)) / h           differs from the gradient by ½ h ∂²L/∂θ²
    central       (L(θ + h) − L(θ − h)) / 2h      differs from it by h²/6 ∂³L/∂θ³
    too small h   both are whole multiples of ulp(L) / h, or of ulp(L) / 2h: the digits that the subtraction left

The step is worked out from the error, then the difference is computed with that step and has to be what was submitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.precision import Criterion
from core.checking.quantity import Quantity
from core.derivatives.certificate import read_as_classes
from core.problem import Problem

SAMPLE = 24
"""Number of values that are examined, those with the largest errors."""

FEWEST = 4
"""Fewest values in which a pattern can be recognised."""

REPRODUCED = 0.03
"""Share of the error that may remain when the difference is recomputed with the step that was found."""

PROBING_STEP = 1e-2
"""Step of the differences that estimate second and third derivatives."""


class Numerical(NamedTuple):
    """The kind of finite difference of a submission."""

    slug: str
    said: str


class _Entry(NamedTuple):
    """One number that the loss depends on."""

    array: Array
    at: tuple[int, ...]
    yours: float
    right: float


def recognise(
    problem: Problem,
    yours: dict[Quantity, Array],
    right: dict[Quantity, Array],
    criterion: Criterion,
    check_deadline: CheckDeadline,
) -> Numerical | None:
    """Return the kind of finite difference that wrong gradients are, if they are one.

    Args:
        problem: the problem.
        yours: submitted gradients that are wrong but have the right shapes.
        right: the right gradients.
        criterion: the digits they were sent with, and the precision of the computation.
        check_deadline: called now and then; ends the search by raising.
    """
    losses = _Losses(problem, check_deadline)
    places = losses.places(yours, right)
    if len(places) < FEWEST:
        return None
    if found := _too_small(losses, places, criterion):
        return found
    return _too_large(losses, places)


class _Losses:
    """Evaluates the loss with one number moved."""

    def __init__(self, problem: Problem, check_deadline: CheckDeadline) -> None:
        self._check_deadline = check_deadline
        self._still = read_as_classes(problem.nodes)
        self._plan = problem.plan(
            inputs={name: array.astype(np.float64) for name, array in problem.inputs.items()},
            parameters={
                layer: {name: array.astype(np.float64) for name, array in named.items()}
                for layer, named in problem.parameters.items()
            },
            dtype=np.dtype(np.float64),
            backward=False,
        )

    def places(self, yours: dict[Quantity, Array], right: dict[Quantity, Array]) -> list[_Entry]:
        """Return the numbers with the largest errors, and their places in the arrays of the plan."""
        found = []
        for quantity, array in yours.items():
            if quantity.layer in self._still:
                continue
            gradient = quantity.part == "gradients"
            at = self._plan.parameters[quantity.layer][quantity.name] if gradient else self._plan.inputs[quantity.layer]
            apart = np.abs(array - right[quantity])
            for flat in np.argsort(apart, axis=None)[::-1][:SAMPLE]:
                index = tuple(int(i) for i in np.unravel_index(int(flat), array.shape))
                found.append(_Entry(at, index, float(array[index]), float(right[quantity][index])))
        return sorted(found, key=lambda place: -abs(place.yours - place.right))[:SAMPLE]

    def at(self, place: _Entry, step: float) -> float:
        """Return the loss with that number moved by a step."""
        self._check_deadline()
        kept = place.array[place.at]
        place.array[place.at] = kept + step
        self._plan.forward()
        place.array[place.at] = kept
        return float(self._plan.loss.total)


def _too_small(losses: _Losses, places: Sequence[_Entry], criterion: Criterion) -> Numerical | None:
    """Recognise numbers that are all multiples of the last place of the loss, divided by one step."""
    numbers = np.array([place.yours for place in places])
    loss = abs(losses.at(places[0], 0.0))
    if not loss or np.count_nonzero(numbers) < FEWEST:
        return None
    for name, most in (("float64", 1e7), ("float32", 1e3)):
        if name == "float64" and (criterion.digits or criterion.unit > np.finfo(np.float64).eps):
            continue
        place = float(np.spacing(np.array(loss, name)))
        for exponent in range(15, 1, -1):
            for sides in (1, 2):
                counts = numbers * (sides * 10.0**-exponent) / place
                size = float(np.abs(counts).max())
                if 0.5 < size < most and np.abs(counts - np.rint(counts)).max() < 1e-3:
                    return _find_rounding(name, exponent, sides)
    return None


def _find_rounding(name: str, exponent: int, sides: int) -> Numerical:
    what = f"{'one-sided' if sides == 1 else 'central'} differences of a {name} loss with step 1e-{exponent}"
    if name == "float32":
        said = f"Your numbers are {what}: float32 leaves too few digits. Compute numerical gradients in float64."
        return Numerical("difference-in-float32", said)
    said = (
        f"Your numbers are {what}: with so small a step the two losses are nearly equal. Use central differences "
        "with step 1e-5."
    )
    return Numerical("difference-step-too-small", said)


def _too_large(losses: _Losses, places: Sequence[_Entry]) -> Numerical | None:
    """Recognise the error of a one-sided or a central difference with some step."""
    error = np.array([place.yours - place.right for place in places])
    h = PROBING_STEP
    moved = {step: np.array([losses.at(place, step * h) for place in places]) for step in (-2, -1, 0, 1, 2)}
    second = (moved[1] - 2 * moved[0] + moved[-1]) / h**2
    third = (moved[2] - 2 * moved[1] + 2 * moved[-1] - moved[-2]) / (2 * h**3)
    one_sided = 2 * _multiple(error, second)
    central = 6 * _multiple(error, third)
    candidates = [(one_sided, 1)] if one_sided else []
    candidates += [(math.sqrt(central), 2)] if central > 0 else []
    for step, sides in candidates:
        for length in _likely(step):
            behind = length if sides == 2 else 0.0
            computed = [(losses.at(place, length) - losses.at(place, -behind)) / (length + behind) for place in places]
            left = np.linalg.norm(np.array([place.yours for place in places]) - computed)
            if left <= REPRODUCED * np.linalg.norm(error):
                return _find_truncation(length, sides)
    return None


def _find_truncation(step: float, sides: int) -> Numerical:
    if sides == 2:
        said = (
            f"Your numbers are central differences with step {step:.3g}, off by h²/6 ∂³L/∂θ³. Use a smaller step, "
            "such as 1e-5."
        )
        return Numerical("difference-step-too-large", said)
    said = (
        f"Your numbers are one-sided differences with step {step:.3g}, off by ½ h ∂²L/∂θ². The error of central "
        "differences is only of order h²."
    )
    return Numerical("one-sided-difference", said)


def _multiple(error: Array, direction: Array) -> float:
    """Return c such that c · direction is nearest to the error."""
    square = float(direction @ direction)
    return float(error @ direction) / square if square > 0 else 0.0


def _likely(step: float) -> list[float]:
    """Return common step sizes near the estimated one, and the estimate itself."""
    size, sign = abs(step), math.copysign(1.0, step)
    if not 1e-12 < size < 10:
        return []
    tens = [digit * 10.0**power for power in range(-12, 2) for digit in (1, 2, 5)]
    near = [each for each in [*tens, *(2.0**-power for power in range(40))] if 0.7 < each / size < 1.4]
    return [sign * each for each in sorted(near, key=lambda each: abs(math.log(each / size)))] + [step]
