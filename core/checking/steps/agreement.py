"""When submitted parameters agree with those of a rule: the update counts, not the size of the parameters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.precision import Criterion
from core.checking.steps.course import Course, Point, Vector
from core.checking.steps.replay import Disturbs, Predicted, replay
from core.checking.steps.rounding import Disturbance, Edge, largest_of_each
from core.checking.steps.rules import UpdateRule, combined, family_of

DRAWS = 3
"""Number of random disturbances with which rounding is tested."""

AMPLIFIED = 4
"""The factor by which a difference may exceed the effect of such a disturbance."""

HOPELESS = 0.3
"""Where rounding moves a right update by this part of it, the update says nothing about any rule."""

FAR = 1_000
"""A wrong rule is not tried out with rounding where it is off by so many times what rounding does to the right one."""

Key = tuple[str, str]

Limits = list[dict[str | None, Array]]
"""For each point the effect of rounding on the parameters, by None, and on the slots, by their names."""


class Agreement:
    """Compares the submitted points with those of a rule."""

    def __init__(self, course: Course, criterion: Criterion) -> None:
        self.course, self.criterion = course, criterion
        self._disturbances = [Disturbance(course, criterion, seed) for seed in range(DRAWS)]
        self._right: tuple[Sequence[Predicted], Limits] | None = None

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

    def wrong(
        self, rule: UpdateRule, predicted: Sequence[Predicted], keys: Collection[Key] | None = None
    ) -> dict[Key, list[int]]:
        """Return for each submitted parameter the numbers of the points at which a rule does not give it.

        Args:
            rule: the rule.
            predicted: its numbers.
            keys: the parameters in question: rounding is not tried out where a rule is far from all of them. None for the
                right rule, where it always is: a gradient that is no more than rounding has any sign.
        """
        found: dict[Key, list[int]] = {}
        doubtful: list[_Doubt] = []
        for number, (point, own) in enumerate(zip(self.course.points, predicted, strict=True)):
            for yours, computed, before, slot in self._compared(point, own):
                allowed = self.allowed(computed, before)
                apart = np.abs(yours.values - computed)
                unlike = ~(apart <= allowed) & yours.known
                if keys is not None and unlike.any():
                    unlike &= ~self._says_nothing(own, slot, number)
                if not unlike.any():
                    continue
                if keys is None and not self.criterion.chosen:
                    far = unlike & ~np.isfinite(computed)
                else:
                    far = unlike & self._far(apart, allowed, slot, number)
                for key, part in self.course.layout.slices.items():
                    if far[part].any():
                        found.setdefault(key, []).append(number)
                    elif unlike[part].any():
                        within = np.where(unlike[part], allowed[part], np.inf)
                        doubtful.append(_Doubt(key, number, slot, apart[part], within))
        if keys is not None and all(key in found for key in keys):
            return found | {doubt.key: found.get(doubt.key, []) for doubt in doubtful}
        if doubtful:
            limits = self._limits(rule, predicted, edges=keys is None)
            for doubt in doubtful:
                moved = limits[doubt.number][doubt.slot][self.course.layout.slices[doubt.key]]
                if not np.all(doubt.apart <= doubt.allowed + moved):
                    found.setdefault(doubt.key, []).append(doubt.number)
        return {key: sorted(set(found[key])) for key in self.course.layout.slices if key in found}

    def tolerance(self, number: int) -> Array:
        """Return the distance from the right parameters at a point that rounding explains."""
        predicted, limits = self._of_right_rule()
        own = predicted[number]
        return np.asarray(self.allowed(own.theta, own.before) + (limits[number][None] if limits else 0.0))

    def differs(self, one: Sequence[Predicted], other: Sequence[Predicted]) -> bool:
        """Return whether two rules differ by more than any tolerance in what was submitted."""
        for point, first, second in zip(self.course.points, one, other, strict=True):
            for yours, computed, before, which in self._compared(point, first):
                rival = second.theta if which is None else second.slots[which]
                apart = np.abs(computed - rival)
                if np.any(~(apart <= 8 * self.allowed(computed, before)) & yours.known):
                    return True
        return False

    def _compared(self, point: Point, own: Predicted) -> list[tuple[Vector, Array, Array, str | None]]:
        """Return pairs of submitted and computed vectors, each with what it was before, and the slot."""
        found: list[tuple[Vector, Array, Array, str | None]] = [(point.theta, own.theta, own.before, None)]
        zero = np.zeros_like(own.theta)
        return found + [(vector, own.slots[name], zero, name) for name, vector in point.slots.items()]

    def _of_right_rule(self) -> tuple[Sequence[Predicted], Limits]:
        if self._right is None:
            rule = combined((), family_of(self.course.optimizer))
            predicted = replay(self.course, rule)
            self._right = predicted, ([] if self.criterion.chosen else self._limits(rule, predicted, edges=True))
        return self._right

    def _says_nothing(self, own: Predicted, slot: str | None, number: int) -> Array:
        """Return where the right update may be nearly anything, because its gradient is no more than rounding."""
        right, limits = self._of_right_rule()
        if not limits:
            return np.zeros(own.theta.shape, bool)
        update = right[number].theta - right[number].before if slot is None else right[number].slots[slot]
        return np.asarray(limits[number][slot] >= HOPELESS * np.abs(update)) & np.isfinite(own.theta)

    def _far(self, apart: Array, allowed: Array, slot: str | None, number: int) -> Array:
        """Return where a wrong rule is off by far more than rounding does to the right one."""
        limits = self._of_right_rule()[1]
        if not limits:
            return np.ones(apart.shape, bool)
        return ~(apart <= FAR * (largest_of_each(self.course.layout, allowed) + limits[number][slot]))

    def _limits(self, rule: UpdateRule, predicted: Sequence[Predicted], *, edges: bool) -> Limits:
        """Return by how much the numbers of a rule may be apart when every number before them is rounded.

        Disturbances are random, and what they move is taken some times as large. Where a step is no straight line of the
        gradient, as that of a gradient divided by its size, the gradient is moved to the ends of that range instead: with
        `edges`, for the right rule.
        """
        found: Limits = [dict.fromkeys((None, *each.slots), np.zeros_like(each.theta)) for each in predicted]
        ways: list[tuple[float, Disturbs]] = [(AMPLIFIED, each) for each in self._disturbances]
        if edges:
            ways += [(1.0, Edge(self.course, self._disturbances, side)) for side in (-AMPLIFIED, AMPLIFIED)]
        for factor, disturbance in ways:
            for limits, own, moved in zip(found, predicted, replay(self.course, rule, disturbance), strict=True):
                limits[None] = np.maximum(limits[None], factor * _finite(moved.theta - own.theta))
                for name, array in moved.slots.items():
                    limits[name] = np.maximum(limits[name], factor * _finite(array - own.slots[name]))
        return found


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A parameter, or a slot of it, that a rule does not give at a point, unless rounding explains the difference."""

    key: Key
    number: int
    slot: str | None
    apart: Array
    allowed: Array


def _finite(apart: Array) -> Array:
    size = np.abs(apart)
    return np.where(np.isfinite(size), size, np.inf)
