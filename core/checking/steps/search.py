"""The search for the rule that gives the submitted steps: one mistake, a constant factor, a pair, or one a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from core.arrays import Array
from core.checking.steps.agreement import Agreement, Key
from core.checking.steps.course import Course
from core.checking.steps.moment import Moment
from core.checking.steps.replay import Predicted, replay
from core.checking.steps.rules import RULES, UpdateRule, combined, family_of
from core.optimizers import Memory

MOST_OPERATIONS = 3_000_000
"""Pairs of mistakes are tried as long as all their replays together have no more elements than this."""

MOST_STEPS = 2_000
"""Causes are not looked for where their replays have more steps than this between the submitted points."""

LARGE = 50_000
"""With more parameters than this in all steps, mistakes that cannot show are not looked for where nothing is wrong."""

FEWEST_FOR_FACTOR = 3
"""A constant factor is seen only in at least so many numbers."""


class Scaled(UpdateRule):
    """The right step times a constant that no known mistake has."""

    slug = "wrong-step-length"
    aspect = "rate"
    said = "Your update is right up to a constant factor: the learning rate, or a factor in the gradient, is another"
    wrong = r"\theta - c\, \eta\, \Delta"
    why = "Every number moves by the same multiple of the right step. Compare the learning rate and the factor 1/n."
    factor = 1.0

    def rate(self, now: Moment) -> float | Array:
        return self.factor * super().rate(now)


class NotMoved(UpdateRule):
    """The parameters stay."""

    slug = "parameters-not-moved"
    aspect = "rate"
    said = "Your update leaves the parameters as they are"
    wrong = r"\theta"
    why = "The step has to be written back into the parameters that the network uses, not into a copy."

    def finish(self, now: Moment, theta: Array) -> Array:
        return now.theta


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule that gives the submitted numbers of some parameters."""

    mistakes: tuple[type[UpdateRule], ...]
    """The mistakes and forms in the rule; () if it is unknown."""

    keys: tuple[Key, ...]
    """The parameters concerned."""

    alternatives: tuple[tuple[type[UpdateRule], ...], ...] = ()
    """Other rules that give the same numbers."""

    factor: float | None = None

    @property
    def wrong(self) -> tuple[type[UpdateRule], ...]:
        """The mistakes, without the forms."""
        return tuple(each for each in self.mistakes if not each.is_form)


@dataclass(slots=True)
class Found:
    """What the search found."""

    predicted: list[Predicted]
    """The right numbers."""

    wrong: dict[Key, list[int]]
    """The points at which a parameter is wrong."""

    explanations: list[Explanation] = field(default_factory=list)
    unseen: list[type[UpdateRule]] = field(default_factory=list)
    """The mistakes that give the right numbers in these steps."""


class Search:
    """Replays the known rules on the submitted steps."""

    def __init__(self, course: Course, agreement: Agreement) -> None:
        self.course, self.agreement = course, agreement
        self.family = family_of(course.optimizer)
        self.right = combined((), self.family)
        self._wrong: dict[tuple[type[UpdateRule], ...], dict[Key, list[int]]] = {}

    def run(self) -> Found:
        """Return what is wrong and which rules explain it."""
        predicted = replay(self.course, self.right)
        found = Found(predicted, self.agreement.wrong(self.right, predicted))
        rules = self._applicable()
        steps = self.course.points[-1].step - self.course.first_step
        if steps * len(rules) > MOST_STEPS * len(self.course.points):
            found.explanations = [Explanation((), tuple(found.wrong))] if found.wrong else []
            return found
        if not found.wrong and self.course.start.size * steps > LARGE:
            return found
        for rule in rules:
            own = self._replay((rule,))
            if not rule.is_form and not self.agreement.differs(predicted, own):
                found.unseen.append(rule)
        if found.wrong:
            found.explanations = self._explain(found, [rule for rule in rules if rule not in found.unseen])
        return found

    def _applicable(self) -> list[type[UpdateRule]]:
        course = self.course
        zero = np.zeros_like(course.start)
        memory = Memory(course.first_step + 1, {name: zero for name in course.optimizer.slots}, {})
        now = Moment(
            course.optimizer, course.layout, memory.step, course.start, memory, lambda theta: zero, course.start
        )
        return [rule for rule in (*RULES, NotMoved) if rule().applies(now)]

    def _replay(self, mistakes: tuple[type[UpdateRule], ...], factor: float | None = None) -> list[Predicted]:
        """Replay a rule, and note which parameters it does not give."""
        self.course.check_deadline()
        rule = combined(mistakes, self.family)
        if factor is not None:
            rule.factor = factor  # type: ignore[attr-defined]
        predicted = replay(self.course, rule)
        self._wrong[mistakes] = self.agreement.wrong(rule, predicted)
        return predicted

    def _explain(self, found: Found, rules: Sequence[type[UpdateRule]]) -> list[Explanation]:
        keys = tuple(found.wrong)
        singles: list[tuple[type[UpdateRule], ...]] = [(rule,) for rule in rules]
        everywhere = [each for each in singles if not self._wrong[each]]
        if everywhere:
            return [Explanation(everywhere[0], keys, tuple(everywhere[1:]))]
        factor = self._factor(found, keys)
        if factor is not None:
            return [factor]
        here = [each for each in singles if not set(self._wrong[each]) & set(keys)]
        if here:
            return [Explanation(here[0], keys, tuple(here[1:]))]
        pairs = list(self._pairs(rules))
        everywhere = [each for each in pairs if not self._wrong[each]]
        if everywhere:
            return [Explanation(everywhere[0], keys, tuple(everywhere[1:]))]
        return self._by_parameter(keys, [*singles, *pairs])

    def _pairs(self, rules: Sequence[type[UpdateRule]]) -> Iterable[tuple[type[UpdateRule], ...]]:
        """Yield pairs of mistakes in different equations, as many as there is time for."""
        cost = self.course.start.size * (self.course.points[-1].step - self.course.first_step)
        most = MOST_OPERATIONS // max(cost, 1)
        possible = ((one, other) for one, other in combinations(rules, 2) if one.aspect != other.aspect)
        for pair, _ in zip(possible, range(most), strict=False):
            self._replay(pair)
            yield pair

    def _factor(self, found: Found, keys: Sequence[Key]) -> Explanation | None:
        """Return the constant factor between the submitted and the right updates, if there is one."""
        yours, right = [np.zeros(0)], [np.zeros(0)]
        for point, own in zip(self.course.points, found.predicted, strict=True):
            for key in keys:
                part = self.course.layout.slices[key]
                if point.theta.known[part].all():
                    yours.append(point.theta.values[part] - own.before[part])
                    right.append(own.theta[part] - own.before[part])
        one, other = np.concatenate(yours), np.concatenate(right)
        if np.count_nonzero(other) < FEWEST_FOR_FACTOR or not np.isfinite(other).all():
            return None
        factor = float(one @ other / (other @ other))
        self._replay((Scaled,), factor)
        return None if self._wrong[(Scaled,)] else Explanation((Scaled,), tuple(keys), factor=factor)

    def _by_parameter(self, keys: Sequence[Key], rules: Sequence[tuple[type[UpdateRule], ...]]) -> list[Explanation]:
        """Explain each parameter by itself, those with the same mistake together."""
        groups: dict[tuple[tuple[type[UpdateRule], ...], ...], list[Key]] = {}
        for key in keys:
            fitting = [each for each in rules if key not in self._wrong[each]]
            fewest = min((len(each) for each in fitting), default=0)
            groups.setdefault(tuple(each for each in fitting if len(each) == fewest), []).append(key)
        return [
            Explanation(fitting[0] if fitting else (), tuple(members), fitting[1:])
            for fitting, members in groups.items()
        ]
