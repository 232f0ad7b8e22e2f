"""The replay of a rule along the submitted steps, each from the parameters and the state that were submitted before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.arrays import Array
from core.checking.steps.course import Course, Point
from core.checking.steps.moment import Moment
from core.checking.steps.rules import UpdateRule
from core.optimizers import Memory


class Disturbs(Protocol):
    """Moves numbers by as much as rounding may have moved them."""

    @property
    def is_single(self) -> bool:
        """True if gradients are computed in float32."""

    def start(self, theta: Array) -> Array:
        """Return other parameters before a step."""

    def point(self, theta: Array) -> Array:
        """Return other parameters at which a gradient is taken."""

    def gradient(self, g: Array) -> Array:
        """Return another gradient."""


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
            before = theta if disturb is None else disturb.start(theta)
            gradient = _gradient(course, memory.step, point if memory.step == point.step else None, disturb)
            now = Moment(optimizer, course.layout, memory.step, before, memory, gradient, course.start, carried)
            theta = rule.step(now)
        found.append(Predicted(before, theta, {name: array.copy() for name, array in memory.slots.items()}))
        theta = point.theta.over(theta)
        for name, vector in point.slots.items():
            memory.slots[name][...] = vector.over(memory.slots[name])
    return found


def _gradient(course: Course, t: int, point: Point | None, disturb: Disturbs | None) -> Callable[[Array], Array]:
    """Return the gradient as a function of the parameters; what was submitted of it is used as it is."""

    def gradient_at(theta: Array) -> Array:
        if point is not None and point.gradient.known.all():
            return np.asarray(point.gradient.values)
        if disturb is None:
            found = course.gradient_at(theta, t)
        else:
            found = disturb.gradient(course.gradient_at(disturb.point(theta), t, single=disturb.is_single))
        return found if point is None else point.gradient.over(found)

    return gradient_at
