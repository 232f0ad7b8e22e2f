"""The explanation of a submission: by mistakes, by another reading of the request, or as a numerical gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.checking.choice import blaming_nothing_behind, is_better, readings, rival_of
from core.checking.comparison import Comparator
from core.checking.effort import Effort
from core.checking.equivalences import EQUIVALENCES, Reading
from core.checking.equivalences.slope_at_kink import SlopeAtKink
from core.checking.forward_mistakes import forward_mistakes
from core.checking.forward_readings.difference import ForwardDifference
from core.checking.forward_readings.search import forward_reading
from core.checking.hypothesis import AGAIN, NAMED
from core.checking.interpretation import Interpretation, Right
from core.checking.numerical import Gradients, Numerical, recognise
from core.checking.precision import Criterion
from core.checking.quantity import Quantity
from core.checking.search import Search
from core.checking.submission import Submission, SubmissionSpec, read
from core.errors import Refusal
from core.problem import Problem

LOSS = Quantity("loss")

WITHOUT_SLOPES = tuple(each for each in EQUIVALENCES if not isinstance(each, SlopeAtKink))

SMALL = 10_000
"""Up to this many numbers in all tensors, readings that differ from the request in two respects are tried as well."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What explains a submission best."""

    interpretation: Interpretation
    numerical: Numerical | None = None
    """The kind of numerical gradient that the submission is, if it is one."""
    rival: Interpretation | None = None
    """The mistakes that explain as much as the differences in writing that would clear the submission."""
    difference: ForwardDifference | None = None
    """The forward tensor that is another function than the request's, if nothing explains it."""
    partial: bool = False
    """True if the search ended before everything was tried."""


class Explainer:
    """Finds the explanation of a submission that costs least."""

    def __init__(self, problem: Problem, right: Right, effort: Effort) -> None:
        self._problem = problem
        self._right = right
        self._effort = effort

    def explain(self, sent: SubmissionSpec | None, submission: Submission, criterion: Criterion) -> Explanation:
        """Return the best explanation.

        Args:
            sent: the submission as sent; None if it is the server's own.
            submission: the submission by quantity.
            criterion: when two numbers agree.
        """
        reading = Reading(problem=self._problem, sent=sent or SubmissionSpec())
        located = self._interpret(reading, submission, self._right, criterion)
        if sent is None or not located.hypotheses[0].accusations:
            return Explanation(located)
        if self._effort.is_over:
            return Explanation(located, partial=True)
        best, difference = located, None
        try:
            at_kinks = self._cheapest(located, list(readings(reading, (SlopeAtKink(),))))
            if not at_kinks.hypotheses[0].accusations:
                return Explanation(at_kinks)  # Before finite differences, which have the slope ½ at a kink.
            if numerical := self._numerical(located):
                return Explanation(self._forgiven(located), numerical)
            best = self._read_otherwise(at_kinks)
            if not self._effort.is_over:
                best, difference = self._with_another_forward_pass(best, sent)
            best = self._supposing(best)
        except Refusal as refusal:
            if not refusal.is_timeout:
                raise
            self._effort.look_at_the_clock()
        if difference is not None:
            best, difference = blaming_nothing_behind(best, difference)
        return Explanation(best, None, rival_of(located, best), difference, self._effort.is_spent)

    def _with_another_forward_pass(
        self, interpretation: Interpretation, sent: SubmissionSpec
    ) -> tuple[Interpretation, ForwardDifference | None]:
        """Return the interpretation, or a cheaper one by another function that the forward pass computes."""
        accusations = interpretation.hypotheses[0].accusations
        if len(accusations) < 2 and all(accusation.findings for accusation in accusations):
            return interpretation, None
        criterion = interpretation.comparator.criterion
        outcome = forward_reading(self._problem, sent, self._right, criterion, self._effort)
        other = outcome.interpretation
        if outcome.partial is not None:
            right = Right(outcome.partial.problem)
            submission = read(right.network, outcome.partial.sent)
            other = self._interpret(outcome.partial, submission, right, criterion, interpretation.cost)
        if other is not None and other.cost < interpretation.cost:
            return other, None
        return interpretation, outcome.difference

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
        search = Search(right.network, comparator, submission, self._effort, limit - reading.price)
        return Interpretation(reading, right, submission, comparator, search.explain())

    def _read_otherwise(self, interpretation: Interpretation) -> Interpretation:
        """Return the reading under which least is wrong: a different way of writing is not a mistake."""
        small = sum(math.prod(shape) for shape in self._right.network.shapes.values()) <= SMALL
        start = interpretation  # Slopes at kinks were tried there, and are tried again under another reading only.
        while interpretation.hypotheses[0].accusations:
            equivalences = WITHOUT_SLOPES if interpretation is start else EQUIVALENCES
            once = list(readings(interpretation.reading, equivalences))
            cheaper = self._cheapest(interpretation, once)
            if cheaper is interpretation and small:
                twice = (second for first in once for second in readings(first, WITHOUT_SLOPES))
                cheaper = self._cheapest(interpretation, list(twice))
            if cheaper is interpretation:
                break
            interpretation = cheaper
        return interpretation

    def _cheapest(self, interpretation: Interpretation, tried: Sequence[Reading]) -> Interpretation:
        """Return the interpretation, or a cheaper one under another reading."""
        cheapest = interpretation
        values, comparator = interpretation.submission.values, interpretation.comparator
        before = {quantity: comparator.is_right(quantity, yours) for quantity, yours in values.items()}
        for reading in tried:
            if self._effort.is_spent or cheapest.cost <= reading.price:
                break
            self._effort.spend(0)
            right = (
                interpretation.right if reading.problem is interpretation.reading.problem else Right(reading.problem)
            )
            submission = read(right.network, reading.sent)
            if reading.sent.convention is not None and "transposed" in submission.layouts.values():
                continue  # Some tensors are not written in that convention.
            criterion = interpretation.comparator.criterion.scaling_deltas(reading.scale_of_deltas)
            if not is_better(before, submission, right.values, criterion):
                continue
            other = self._interpret(reading, submission, right, criterion, cheapest.cost)
            if other.cost < cheapest.cost:
                cheapest = other
        return cheapest

    def _numerical(self, interpretation: Interpretation) -> Numerical | None:
        """Return the kind of finite difference, if only gradients are wrong and they are finite differences."""
        values, comparator = interpretation.submission.values, interpretation.comparator
        wrong = {quantity: yours for quantity, yours in values.items() if not comparator.is_right(quantity, yours)}
        if any(q.part not in ("gradients", "input_gradient") for q in wrong):
            return None
        right = interpretation.right.values
        yours = {q: array for q, array in values.items() if q.part in ("gradients", "input_gradient")}
        if any(array.shape != right[q].shape for q, array in yours.items()):
            return None
        gradients = Gradients(yours, right, frozenset(wrong), comparator.criterion)
        return recognise(self._problem, gradients, self._effort.check_deadline)

    def _forgiven(self, interpretation: Interpretation) -> Interpretation:
        """Return the interpretation without accusations."""
        best = interpretation.hypotheses[0]
        return replace(interpretation, hypotheses=[replace(best, accusations=(), cost=0.0)])

    def _supposing(self, interpretation: Interpretation) -> Interpretation:
        """Return the interpretation, or one that explains all of it by a mistake in an unsubmitted forward pass."""
        submission = interpretation.submission
        unknown = any(not accusation.findings for accusation in interpretation.hypotheses[0].accusations)
        if not unknown or {quantity.part for quantity in submission.values} & {"preactivations", "activations"}:
            return interpretation
        loss = submission.values.get(LOSS)
        if loss is not None and interpretation.comparator.is_right(LOSS, loss):
            return interpretation
        for supposed in forward_mistakes(interpretation.right.trace):
            if self._effort.is_spent:
                break
            self._effort.spend(0)
            price = NAMED + AGAIN * (len(supposed) - 1)
            search = Search(
                interpretation.right.network,
                interpretation.comparator,
                submission,
                self._effort,
                min(interpretation.hypotheses[0].cost, price + AGAIN / 2),
                supposed,
            )
            if found := search.explain():
                return replace(interpretation, hypotheses=found)
        return interpretation
