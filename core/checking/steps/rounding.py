"""What rounding may have done to the parameters before a step and to its gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.arrays import Array
from core.checking.precision import Criterion
from core.checking.steps.course import Course
from core.checking.steps.moment import Layout

UNITS = 16
"""Disturbance of gradients, in units of the last place."""


class Disturbance:
    """Moves numbers by as much as rounding may have moved them, in each step in the same way for every rule."""

    def __init__(self, course: Course, criterion: Criterion, seed: int) -> None:
        self._course, self._criterion, self._seed = course, criterion, seed
        self._gradients: dict[tuple[int, bytes], Array] = {}

    def start(self, theta: Array, t: int) -> Array:
        """Return parameters within the digits in which they were submitted."""
        digits = self._criterion.digits
        if digits is None:
            return theta
        return np.asarray(theta + digits.half_unit(theta) * self._draw(theta, t, 0))

    def gradient(self, theta: Array, t: int) -> Array:
        """Return a gradient from disturbed passes, whose terms were rounded once more before they were added."""
        key = t, theta.tobytes()
        if key not in self._gradients:
            g = self._course.disturbed_gradient_at(theta, t, self._criterion, self._seed)
            reach = UNITS * self._criterion.unit * (np.abs(g) + largest_of_each(self._course.layout, g) / 4)
            self._gradients[key] = np.asarray(g + reach * self._draw(g, t, 1))
        return self._gradients[key]

    def _draw(self, array: Array, t: int, part: int) -> Array:
        return np.random.Generator(np.random.PCG64([self._seed, t, part])).uniform(-1, 1, array.shape)


class Edge:
    """Moves every gradient to one end of the range that rounding leaves it."""

    def __init__(self, course: Course, draws: Sequence[Disturbance], side: float) -> None:
        self._course, self._draws, self._side = course, draws, side

    def start(self, theta: Array, t: int) -> Array:
        """Return the parameters as they are."""
        return theta

    def gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient and the largest effect of a disturbance, some times as large."""
        g = self._course.gradient_at(theta, t)
        return np.asarray(
            g + self._side * np.max([np.abs(each.gradient(theta, t) - g) for each in self._draws], axis=0)
        )


def largest_of_each(layout: Layout, array: Array) -> Array:
    """Return for each element the largest magnitude in its parameter: a sum over examples may have cancelled."""
    found = np.zeros_like(array)
    for part in layout.slices.values():
        found[part] = np.abs(array[part]).max(initial=0)
    return found
