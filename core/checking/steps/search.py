"""The search for the rule that gives the submitted steps: one mistake, a factor, a pair, or a mistake in some parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from core.checking.effort import Effort
from core.checking.steps.agreement import Agreement, Key
from core.checking.steps.course import Course
from core.checking.steps.evidence import FEWEST, Evidence
from core.checking.steps.explanation import Explanation, Found, Rules
from core.checking.steps.moment import Moment
from core.checking.steps.replay import Predicted, replay
from core.checking.steps.rules import RULES, Scaled, UpdateRule, combined, family_of
from core.optimizers import Memory

FEWEST_FOR_FACTOR = 3
"""A constant factor is seen only in at least so many numbers."""

FEWEST_FOR_PAIR = 2
"""A pair for all parameters is seen only in at least so many numbers."""

MOST_CAUSES = 2
"""So many mistakes may be in the updates of different parameters; more than that explain anything."""


class Search:
    """Replays the known rules on the submitted steps."""

    def __init__(self, course: Course, agreement: Agreement, effort: Effort) -> None:
        self.course, self.agreement, self.effort = course, agreement, effort
        self.family = family_of(course.optimizer)
        self.right = combined((), self.family)
        self._keys: tuple[Key, ...] = ()
        self._wrong: dict[Rules, dict[Key, list[int]]] = {}

    def run(self) -> Found:
        """Return what is wrong and which rules explain it."""
        predicted = replay(self.course, self.right)
        found = Found(predicted, self.agreement.wrong(self.right, predicted))
        self._keys = tuple(found.wrong)
        rules = []
        for rule in self._applicable():
            if self.effort.is_spent:
                found.partial = True
                break
            own = self._replay((rule,))
            if rule.is_form or self.agreement.differs(predicted, own):
                rules.append(rule)
            else:
                found.unseen.append(rule)
        if found.wrong:
            found.explanations = self._explain(found, rules)
        return found

    def _applicable(self) -> list[type[UpdateRule]]:
        course = self.course
        zero = np.zeros_like(course.start)
        memory = Memory(course.first_step + 1, {name: zero for name in course.optimizer.slots}, {})
        now = Moment(
            course.optimizer, course.layout, memory.step, course.start, memory, lambda theta: zero, course.start
        )
        return [rule for rule in RULES if rule().applies(now)]

    def _rule(self, mistakes: Rules, factor: float | None = None) -> UpdateRule:
        rule = combined(mistakes, self.family)
        if factor is not None:
            rule.factor = factor  # type: ignore[attr-defined]
        return rule

    def _replay(self, mistakes: Rules, factor: float | None = None) -> list[Predicted]:
        """Replay a rule, and note which parameters it does not give."""
        rule = self._rule(mistakes, factor)
        predicted = replay(self.course, rule)
        if self._keys:
            self._wrong[mistakes] = self.agreement.wrong(rule, predicted, self._keys)
        return predicted

    def _explain(self, found: Found, rules: Sequence[type[UpdateRule]]) -> list[Explanation]:
        keys = self._keys
        singles: list[Rules] = [(rule,) for rule in rules]
        everywhere = [each for each in singles if not self._wrong[each]]
        if everywhere:
            return [Explanation(everywhere[0], keys, tuple(everywhere[1:]))]
        factor = self._factor(found, keys)
        if factor is not None:
            return [factor]
        evidence = Evidence(self.agreement, found.predicted)
        here = self._sure(evidence, [each for each in singles if not set(self._wrong[each]) & set(keys)], keys)
        if here:
            return [Explanation(here[0], keys, tuple(here[1:]))]
        pairs = list(self._pairs(found, rules))
        fitting = [each for each in pairs if not self._wrong[each]]
        everywhere = self._sure(evidence, fitting, keys, FEWEST_FOR_PAIR)
        if everywhere:
            return [Explanation(everywhere[0], keys, tuple(everywhere[1:]))]
        return self._by_parameter(evidence, keys, [*singles, *pairs])

    def _pairs(self, found: Found, rules: Sequence[type[UpdateRule]]) -> Iterator[Rules]:
        """Yield pairs of mistakes in different equations, as many as there is effort for."""
        for pair in combinations(rules, 2):
            if self.effort.is_spent:
                found.partial = True
                return
            if pair[0].aspect != pair[1].aspect:
                self._replay(pair)
                yield pair

    def _sure(self, evidence: Evidence, rules: Sequence[Rules], keys: Sequence[Key], *fewest: int) -> list[Rules]:
        """Return those of the rules, which give these parameters, that do so by no coincidence."""
        tried = len(self._wrong)
        return [each for each in rules if evidence.is_sure(replay(self.course, self._rule(each)), keys, tried, *fewest)]

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

    def _by_parameter(self, evidence: Evidence, keys: Sequence[Key], rules: Sequence[Rules]) -> list[Explanation]:
        """Explain some parameters by one rule and others by another, with as few mistakes as possible.

        Whatever is not explained by the few mistakes that give the most parameters has an unknown cause.
        """
        left, causes, found = list(keys), MOST_CAUSES, list[Explanation]()
        while left:
            given: dict[tuple[Key, ...], list[Rules]] = {}
            for each in rules:
                if len(each) <= causes and (members := tuple(key for key in left if key not in self._wrong[each])):
                    given.setdefault(members, []).append(each)
            best = self._best(evidence, given)
            if best is None:
                break
            found.append(best)
            causes -= len(best.mistakes)
            left = [key for key in left if key not in best.keys]
        return [*found, Explanation((), tuple(left))] if left else found

    def _best(self, evidence: Evidence, given: dict[tuple[Key, ...], list[Rules]]) -> Explanation | None:
        """Return the explanation of most parameters by the fewest mistakes that is no coincidence."""
        by_size: dict[tuple[int, int], list[tuple[tuple[Key, ...], Rules]]] = {}
        for members, rules in given.items():
            for each in rules:
                by_size.setdefault((-len(members), len(each)), []).append((members, each))
        for size in sorted(by_size):
            for members in dict.fromkeys(members for members, _ in by_size[size]):
                fitting = [each for other, each in by_size[size] if other == members]
                sure = self._sure(evidence, fitting, members, FEWEST * size[1])
                if sure:
                    return Explanation(sure[0], members, tuple(sure[1:]))
        return None
