"""The explanation of a submission: by mistakes, by another reading of the request, or as a numerical gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from core.checking.comparison import Comparator
from core.checking.equivalences import EQUIVALENCES, Reading
from core.checking.forward_mistakes import suppositions
from core.checking.hypothesis import AGAIN, NAMED
from core.checking.interpretation import Interpretation, Right
from core.checking.numerical_gradient import Numerical, recognised
from core.checking.precision import Criterion
from core.checking.search import Search
from core.checking.submission import SentSubmission, Submission, read
from core.problem import Problem

SMALL = 10_000
"""Up to this many numbers in all tensors, readings that differ from the request in two respects are tried as well."""


class Explainer:
    """Finds the explanation of a submission that costs least."""

    def __init__(self, problem: Problem, right: Right, interrupt: Callable[[], object]) -> None:
        self._problem = problem
        self._right = right
        self._interrupt = interrupt

    def explained(
        self, sent: SentSubmission | None, submission: Submission, criterion: Criterion
    ) -> tuple[Interpretation, Numerical | None]:
        """The best attempt, and what kind of numerical gradient the submission is, if it is one.

        Args:
            sent: what came; None where the submission is the server's own.
            submission: the same by quantity.
            criterion: when two numbers agree.
        """
        reading = Reading(problem=self._problem, sent=sent or SentSubmission())
        attempt = self._attempt(reading, submission, self._right, criterion)
        if sent is None or not attempt.hypotheses[0].accusations:
            return attempt, None
        if numerical := self._numerical(attempt):
            return self._forgiven(attempt), numerical
        return self._supposing(self._read_otherwise(attempt)), None

    def _attempt(
        self,
        reading: Reading,
        submission: Submission,
        right: Right,
        criterion: Criterion,
        limit: float = math.inf,
    ) -> Interpretation:
        """Explain a submission under a reading, as long as that costs less than the limit."""
        judge = Comparator(right.network, criterion, right.scene, right.values)
        search = Search(right.network, judge, submission, self._interrupt, limit - reading.price)
        return Interpretation(reading, right, submission, judge, search.explained())

    def _read_otherwise(self, attempt: Interpretation) -> Interpretation:
        """The reading under which least is wrong: what is written differently is no mistake."""
        small = sum(math.prod(shape) for shape in self._right.network.shapes.values()) <= SMALL
        while attempt.hypotheses[0].accusations:
            once = list(_readings(attempt.reading))
            cheaper = self._cheapest(attempt, once)
            if cheaper is attempt and small:
                cheaper = self._cheapest(attempt, [twice for each in once for twice in _readings(each)])
            if cheaper is attempt:
                break
            attempt = cheaper
        return attempt

    def _cheapest(self, attempt: Interpretation, readings: Sequence[Reading]) -> Interpretation:
        """The attempt, or one with another reading that costs less."""
        cheapest = attempt
        fine = [q for q, yours in attempt.submission.values.items() if attempt.judge.is_right(q, yours)]
        for reading in readings:
            right = attempt.right if reading.problem is attempt.reading.problem else Right(reading.problem)
            submission = read(right.network, reading.sent)
            if reading.sent.convention is not None and "transposed" in submission.layouts.values():
                continue  # Not everything is written in that convention.
            judge = Comparator(right.network, attempt.judge.criterion, right.scene, right.values)
            if any(not judge.is_right(quantity, submission.values[quantity]) for quantity in fine):
                continue  # What is right as it is asked for would be wrong.
            other = self._attempt(reading, submission, right, attempt.judge.criterion, cheapest.cost)
            if other.cost < cheapest.cost:
                cheapest = other
        return cheapest

    def _numerical(self, attempt: Interpretation) -> Numerical | None:
        """What kind of differences the submission is, if only gradients are wrong and they are differences."""
        values, judge = attempt.submission.values, attempt.judge
        wrong = {quantity: yours for quantity, yours in values.items() if not judge.is_right(quantity, yours)}
        if any(q.part not in ("gradients", "input_gradient") for q in wrong):
            return None
        if any(yours.shape != attempt.right.values[q].shape for q, yours in wrong.items()):
            return None
        return recognised(self._problem, wrong, attempt.right.values, judge.criterion, self._interrupt)

    def _forgiven(self, attempt: Interpretation) -> Interpretation:
        """The attempt without accusations."""
        best = attempt.hypotheses[0]
        return replace(attempt, hypotheses=[replace(best, accusations=(), cost=0.0)])

    def _supposing(self, attempt: Interpretation) -> Interpretation:
        """The attempt, or one that explains all of it by a mistake in the forward pass, where that was not submitted."""
        sent = {quantity.part for quantity in attempt.submission.values}
        unknown = any(not accusation.findings for accusation in attempt.hypotheses[0].accusations)
        if not unknown or sent & {"preactivations", "activations"}:
            return attempt
        for supposed in suppositions(attempt.right.scene):
            self._interrupt()
            price = NAMED + AGAIN * (len(supposed) - 1)
            search = Search(
                attempt.right.network,
                attempt.judge,
                attempt.submission,
                self._interrupt,
                min(attempt.hypotheses[0].cost, price + AGAIN / 2),
                supposed,
            )
            if found := search.explained():
                return replace(attempt, hypotheses=found)
        return attempt


def _readings(reading: Reading) -> Iterator[Reading]:
    """The same request read otherwise, in one more respect."""
    for equivalence in EQUIVALENCES:
        if equivalence.slug not in reading.slugs:
            for problem, sent, said in equivalence.readings(reading):
                yield Reading(
                    problem=problem, sent=sent, slugs=(*reading.slugs, equivalence.slug), said=(*reading.said, said)
                )
