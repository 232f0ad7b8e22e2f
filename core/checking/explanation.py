"""The explanation of a submission: by mistakes, by another reading of the request, or as a numerical gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.arrays import CheckDeadline
from core.checking.comparison import Comparator
from core.checking.equivalences import EQUIVALENCES, Reading
from core.checking.forward_mistakes import forward_mistakes
from core.checking.forward_readings.search import forward_reading
from core.checking.hypothesis import AGAIN, NAMED
from core.checking.interpretation import Interpretation, Right
from core.checking.numerical_gradient import Numerical, recognise
from core.checking.precision import Criterion
from core.checking.search import Search
from core.checking.submission import Submission, SubmissionSpec, read
from core.problem import Problem

SMALL = 10_000
"""Up to this many numbers in all tensors, readings that differ from the request in two respects are tried as well."""


class Explainer:
    """Finds the explanation of a submission that costs least."""

    def __init__(self, problem: Problem, right: Right, check_deadline: CheckDeadline) -> None:
        self._problem = problem
        self._right = right
        self._check_deadline = check_deadline

    def explain(
        self, sent: SubmissionSpec | None, submission: Submission, criterion: Criterion
    ) -> tuple[Interpretation, Numerical | None]:
        """Return the best interpretation, and the kind of numerical gradient that the submission is, if it is one.

        Args:
            sent: the submission as sent; None if it is the server's own.
            submission: the submission by quantity.
            criterion: when two numbers agree.
        """
        reading = Reading(problem=self._problem, sent=sent or SubmissionSpec())
        interpretation = self._interpret(reading, submission, self._right, criterion)
        if sent is None or not interpretation.hypotheses[0].accusations:
            return interpretation, None
        if numerical := self._numerical(interpretation):
            return self._forgiven(interpretation), numerical
        return self._with_another_forward_pass(self._supposing(self._read_otherwise(interpretation)), sent), None

    def _with_another_forward_pass(self, interpretation: Interpretation, sent: SubmissionSpec) -> Interpretation:
        """Return the interpretation, or a cheaper one by another function that the forward pass computes."""
        accusations = interpretation.hypotheses[0].accusations
        if len(accusations) < 2 and all(accusation.findings for accusation in accusations):
            return interpretation
        criterion = interpretation.comparator.criterion
        outcome = forward_reading(self._problem, sent, self._right, criterion, self._check_deadline)
        other = outcome.interpretation
        if outcome.partial is not None:
            right = Right(outcome.partial.problem)
            submission = read(right.network, outcome.partial.sent)
            other = self._interpret(outcome.partial, submission, right, criterion, interpretation.cost)
        return other if other is not None and other.cost < interpretation.cost else interpretation

    def _interpret(
        self,
        reading: Reading,
        submission: Submission,
        right: Right,
        criterion: Criterion,
        limit: float = math.inf,
    ) -> Interpretation:
        """Explain a submission under a reading, if that costs less than the limit."""
        comparator = Comparator(right.network, criterion, right.trace, right.values)
        search = Search(right.network, comparator, submission, self._check_deadline, limit - reading.price)
        return Interpretation(reading, right, submission, comparator, search.explain())

    def _read_otherwise(self, interpretation: Interpretation) -> Interpretation:
        """Return the reading under which least is wrong: a different way of writing is not a mistake."""
        small = sum(math.prod(shape) for shape in self._right.network.shapes.values()) <= SMALL
        while interpretation.hypotheses[0].accusations:
            once = list(_readings(interpretation.reading))
            cheaper = self._cheapest(interpretation, once)
            if cheaper is interpretation and small:
                cheaper = self._cheapest(interpretation, [twice for each in once for twice in _readings(each)])
            if cheaper is interpretation:
                break
            interpretation = cheaper
        return interpretation

    def _cheapest(self, interpretation: Interpretation, readings: Sequence[Reading]) -> Interpretation:
        """Return the interpretation, or a cheaper one under another reading."""
        cheapest = interpretation
        fine = [
            q for q, yours in interpretation.submission.values.items() if interpretation.comparator.is_right(q, yours)
        ]
        for reading in readings:
            right = (
                interpretation.right if reading.problem is interpretation.reading.problem else Right(reading.problem)
            )
            submission = read(right.network, reading.sent)
            if reading.sent.convention is not None and "transposed" in submission.layouts.values():
                continue  # Some tensors are not written in that convention.
            comparator = Comparator(right.network, interpretation.comparator.criterion, right.trace, right.values)
            if any(not comparator.is_right(quantity, submission.values[quantity]) for quantity in fine):
                continue  # A tensor that is right under the request would become wrong.
            other = self._interpret(reading, submission, right, interpretation.comparator.criterion, cheapest.cost)
            if other.cost < cheapest.cost:
                cheapest = other
        return cheapest

    def _numerical(self, interpretation: Interpretation) -> Numerical | None:
        """Return the kind of finite difference, if only gradients are wrong and they are finite differences."""
        values, comparator = interpretation.submission.values, interpretation.comparator
        wrong = {quantity: yours for quantity, yours in values.items() if not comparator.is_right(quantity, yours)}
        if any(q.part not in ("gradients", "input_gradient") for q in wrong):
            return None
        if any(yours.shape != interpretation.right.values[q].shape for q, yours in wrong.items()):
            return None
        return recognise(self._problem, wrong, interpretation.right.values, comparator.criterion, self._check_deadline)

    def _forgiven(self, interpretation: Interpretation) -> Interpretation:
        """Return the interpretation without accusations."""
        best = interpretation.hypotheses[0]
        return replace(interpretation, hypotheses=[replace(best, accusations=(), cost=0.0)])

    def _supposing(self, interpretation: Interpretation) -> Interpretation:
        """Return the interpretation, or one that explains all of it by a mistake in an unsubmitted forward pass."""
        sent = {quantity.part for quantity in interpretation.submission.values}
        unknown = any(not accusation.findings for accusation in interpretation.hypotheses[0].accusations)
        if not unknown or sent & {"preactivations", "activations"}:
            return interpretation
        for supposed in forward_mistakes(interpretation.right.trace):
            self._check_deadline()
            price = NAMED + AGAIN * (len(supposed) - 1)
            search = Search(
                interpretation.right.network,
                interpretation.comparator,
                interpretation.submission,
                self._check_deadline,
                min(interpretation.hypotheses[0].cost, price + AGAIN / 2),
                supposed,
            )
            if found := search.explain():
                return replace(interpretation, hypotheses=found)
        return interpretation


def _readings(reading: Reading) -> Iterator[Reading]:
    """Yield the readings of the request that differ in one more respect."""
    for equivalence in EQUIVALENCES:
        if equivalence.slug not in reading.slugs:
            for problem, sent, said in equivalence.readings(reading):
                yield Reading(
                    problem=problem, sent=sent, slugs=(*reading.slugs, equivalence.slug), said=(*reading.said, said)
                )
