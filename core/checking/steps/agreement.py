"""When submitted parameters agree with those of a rule: the update counts, not the size of the parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.arrays import Array
from core.checking.precision import Criterion
from core.checking.steps.course import Course, Point, Vector
from core.checking.steps.moment import Layout
from core.checking.steps.replay import Predicted, replay
from core.checking.steps.rules import UpdateRule, combined, family_of

DRAWS = 3
"""Number of random disturbances with which rounding is tested."""

UNITS = 16
"""Disturbance of gradients, in units of the last place."""

AMPLIFIED = 4
"""The factor by which a difference may exceed the effect of such a disturbance."""

HOPELESS = 0.3
"""Above this difference, relative to the largest update of a parameter, rounding is not tested."""

Key = tuple[str, str]


class Agreement:
    """Compares the submitted points with those of a rule."""

    def __init__(self, course: Course, criterion: Criterion) -> None:
        self.course, self.criterion = course, criterion
        self._right: list[Array] | None = None

    def allowed(self, predicted: Array, before: Array) -> Array:
        """Return the distance that rounding of the result itself explains.

        A parameter is stored with the precision of its own size, its update with that of the update. The parameters before
        the step were rounded as well.
        """
        criterion = self.criterion
        if criterion.chosen:
            return criterion.allowed(predicted)
        size = np.maximum(np.abs(predicted), np.abs(before))
        allowed = 2 * criterion.unit * size + criterion.rtol * np.abs(predicted - before)
        if criterion.digits is not None:
            allowed = allowed + (1 + 1e-6) * (
                criterion.digits.half_unit(predicted) + criterion.digits.half_unit(before)
            )
        return np.asarray(allowed)

    def wrong(self, rule: UpdateRule, predicted: Sequence[Predicted]) -> dict[Key, list[int]]:
        """Return for each submitted parameter the numbers of the points at which the rule does not give it."""
        spread: list[tuple[Array, dict[str, Array]]] | None = None
        found: dict[Key, list[int]] = {}
        for number, (point, own) in enumerate(zip(self.course.points, predicted, strict=True)):
            for key, part in self.course.layout.slices.items():
                fits = True
                for yours, computed, before, which in self._compared(point, own):
                    if not yours.known[part].all() or not len(computed[part]):
                        continue
                    apart = np.abs(yours.values[part] - computed[part])
                    allowed = self.allowed(computed[part], before[part])
                    if np.all(apart <= allowed):
                        continue
                    if not self._is_hopeful(apart, computed[part], before[part]):
                        fits = False
                        break
                    if spread is None:
                        spread = self._spread(rule, predicted)
                    theta, slots = spread[number]
                    moved = theta[part] if which is None else slots[which][part]
                    if not np.all(apart <= allowed + AMPLIFIED * moved):
                        fits = False
                        break
                if not fits:
                    found.setdefault(key, []).append(number)
        return found

    def differs(self, one: Sequence[Predicted], other: Sequence[Predicted]) -> bool:
        """Return whether two rules differ by more than any tolerance in what was submitted."""
        for point, first, second in zip(self.course.points, one, other, strict=True):
            for yours, computed, before, which in self._compared(point, first):
                rival = second.theta if which is None else second.slots[which]
                apart = np.abs(computed - rival)
                if np.any(~(apart <= 8 * self.allowed(computed, before)) & yours.known):
                    return True
        return False

    def tolerance(self, number: int) -> Array:
        """Return the distance from the right parameters at a point that rounding explains."""
        if self._right is None:
            rule = combined((), family_of(self.course.optimizer))
            predicted = replay(self.course, rule)
            self._right = [self.allowed(each.theta, each.before) for each in predicted]
            if not self.criterion.chosen:
                moved = self._spread(rule, predicted)
                self._right = [
                    allowed + AMPLIFIED * theta for allowed, (theta, _) in zip(self._right, moved, strict=True)
                ]
        return self._right[number]

    def _compared(self, point: Point, own: Predicted) -> list[tuple[Vector, Array, Array, str | None]]:
        """Return pairs of submitted and computed vectors, each with what it was before, and the slot."""
        found: list[tuple[Vector, Array, Array, str | None]] = [(point.theta, own.theta, own.before, None)]
        zero = np.zeros_like(own.theta)
        return found + [(vector, own.slots[name], zero, name) for name, vector in point.slots.items()]

    def _is_hopeful(self, apart: Array, computed: Array, before: Array) -> bool:
        if self.criterion.chosen or not np.isfinite(computed).all():
            return False
        update = float(np.abs(computed - before).max(initial=0))
        coarse = float(self.allowed(computed, before).max(initial=0))
        return float(apart.max(initial=0)) <= max(HOPELESS * update, 100 * coarse)

    def _spread(self, rule: UpdateRule, predicted: Sequence[Predicted]) -> list[tuple[Array, dict[str, Array]]]:
        """Return by how much the numbers of a rule move when every number before them is disturbed."""
        theta = [np.zeros_like(each.theta) for each in predicted]
        slots = [{name: np.zeros_like(array) for name, array in each.slots.items()} for each in predicted]
        for seed in range(DRAWS):
            for number, moved in enumerate(replay(self.course, rule, self._disturbance(seed))):
                theta[number] = np.maximum(theta[number], _finite(moved.theta - predicted[number].theta))
                for name, array in moved.slots.items():
                    slots[number][name] = np.maximum(
                        slots[number][name], _finite(array - predicted[number].slots[name])
                    )
        return list(zip(theta, slots, strict=True))

    def _disturbance(self, seed: int) -> Disturbance:
        return Disturbance(self.course, self.criterion, seed)


class Disturbance:
    """Moves numbers by as much as rounding may have moved them, in each step in the same way for every rule."""

    def __init__(self, course: Course, criterion: Criterion, seed: int) -> None:
        self._course, self._criterion, self._seed = course, criterion, seed

    def start(self, theta: Array, t: int) -> Array:
        """Return parameters within the digits in which they were submitted."""
        digits = self._criterion.digits
        if digits is None:
            return theta
        return np.asarray(theta + digits.half_unit(theta) * self._draw(theta, t, 0))

    def gradient(self, theta: Array, t: int) -> Array:
        """Return a gradient from disturbed passes, whose terms were rounded once more before they were added."""
        g = self._course.disturbed_gradient_at(theta, t, self._criterion, self._seed)
        reach = UNITS * self._criterion.unit * (np.abs(g) + _largest_of_each(self._course.layout, g) / 4)
        return np.asarray(g + reach * self._draw(g, t, 1))

    def _draw(self, array: Array, t: int, part: int) -> Array:
        return np.random.Generator(np.random.PCG64([self._seed, t, part])).uniform(-1, 1, array.shape)


def _largest_of_each(layout: Layout, array: Array) -> Array:
    """Return for each element the largest magnitude in its parameter: a sum over examples may have cancelled."""
    found = np.zeros_like(array)
    for part in layout.slices.values():
        found[part] = np.abs(array[part]).max(initial=0)
    return found


def _finite(apart: Array) -> Array:
    size = np.abs(apart)
    return np.where(np.isfinite(size), size, np.inf)
