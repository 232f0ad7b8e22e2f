"""The replay of a rule along the submitted steps, each from the parameters and the state that were submitted before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.arrays import Array
from core.checking.steps.course import Course, Point
from core.checking.steps.moment import Moment
from core.checking.steps.rules import UpdateRule
from core.optimizers import Memory

OPERATIONS = 24
"""Array operations of one step: of an update, of its state, and of the comparison afterwards."""


class Disturbs(Protocol):
    """Moves numbers by as much as rounding may have moved them."""

    def start(self, theta: Array, t: int) -> Array:
        """Return other parameters before step t."""

    def gradient(self, theta: Array, t: int) -> Array:
        """Return another gradient at these parameters in step t."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """The numbers of a rule at one submitted point."""

    before: Array
    """The parameters before the last step."""

    theta: Array
    slots: dict[str, Array]


def replay(course: Course, rule: UpdateRule, disturb: Disturbs | None = None) -> list[Predicted]:
    """Return what a rule gives at every submitted point.

    Args:
        course: the submitted steps. Each step starts from the submitted numbers of the step before it, so that an earlier
            mistake is not counted twice; what was not submitted is the rule's own.
        rule: the rule, right or wrong.
        disturb: what rounding may have moved. Default: nothing.
    """
    optimizer = rule.optimizer(course.optimizer)
    starting = rule.start(optimizer) if course.first_step == 0 else {}
    slots = {name: array + starting.get(name, 0.0) for name, array in course.slots.items()}
    memory = Memory(course.first_step, slots, dict(course.scalars))
    carried: dict[str, Array] = {} if course.rate is None else {"rate": course.rate}
    theta, found = course.start, []
    for point in course.points:
        while memory.step < point.step:
            memory.step += 1
            before = theta if disturb is None else disturb.start(theta, memory.step)
            course.effort.spend(OPERATIONS * theta.size)
            gradients = _Gradients(course, memory.step, point if memory.step == point.step else None, disturb)
            now = Moment(
                optimizer,
                course.layout,
                memory.step,
                before,
                memory,
                gradients.at,
                course.start,
                carried,
                gradients.sent_back_through,
            )
            theta = rule.step(now)
        found.append(Predicted(before, theta, {name: array.copy() for name, array in memory.slots.items()}))
        theta = point.theta.over(theta)
        for name, vector in point.slots.items():
            memory.slots[name][...] = vector.over(memory.slots[name])
    return found


@dataclass(frozen=True, slots=True)
class _Gradients:
    """The gradients of one step; what was submitted of them is used as it is."""

    course: Course
    t: int
    point: Point | None
    disturb: Disturbs | None

    def at(self, theta: Array) -> Array:
        """Return the gradient at these parameters."""
        if self.point is not None and self.point.gradient.known.all():
            return np.asarray(self.point.gradient.values)
        if self.disturb is None:
            return self._submitted(self.course.gradient_at(theta, self.t))
        return self._submitted(self.disturb.gradient(theta, self.t))

    def sent_back_through(self, theta: Array, other: Array) -> Array:
        """Return the gradient at these parameters with errors sent back through other weights."""
        found = self.course.gradient_sent_back_through(theta, other, self.t)
        if self.disturb is not None:
            found = found + self.disturb.gradient(theta, self.t) - self.course.gradient_at(theta, self.t)
        return self._submitted(found)

    def _submitted(self, found: Array) -> Array:
        return found if self.point is None else self.point.gradient.over(found)
