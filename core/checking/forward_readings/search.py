"""The search among forward readings: the function that a user's forward pass computes, if it is not the request's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.effort import Effort
from core.checking.equivalences import EQUIVALENCES, Reading
from core.checking.formulas import RIGHT
from core.checking.forward_readings import FORWARD_READINGS, Variant
from core.checking.forward_readings.difference import FORWARD, ForwardDifference, first_forward_difference
from core.checking.forward_readings.initial_state import initial_states
from core.checking.forward_readings.passes import forward_pass, network_of
from core.checking.hypothesis import Accusation, Hypothesis
from core.checking.interpretation import Interpretation, Right
from core.checking.precision import Criterion
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.submission import SubmissionSpec, read
from core.checking.trace import Trace
from core.errors import Refusal
from core.problem import Problem

NEAR = 1e-3
"""A variant is examined if what is submitted is this near to it, relative to the largest number of a tensor."""

CANCELLED = 1e-6
"""A tensor whose numbers are this small, relative to the largest of all, may be what is left of a sum that cancels."""

SURE = 2.0
"""Decimal digits of evidence that must remain after those that the choice among all variants spends."""

MANY = 100
"""With more variants, only the common ones are tried together with another way of writing."""

SMALL = 10_000
"""Up to this many numbers in all tensors, two differences at once are tried as well."""

VARIANT = 100_000
"""A variant is counted as a replay of so many numbers: it is another problem, and a forward pass."""

DEEP = 24
"""In a network of more layers, two differences at once are too many."""

IMPOSSIBLE = (Refusal, ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError)
"""What a variant raises that these numbers do not admit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardOutcome:
    """What the submitted numbers say about the forward pass."""

    interpretation: Interpretation | None = None
    """The submission explained by another forward pass: everything that was submitted follows from it."""

    partial: Reading | None = None
    """A reading, with a neighbouring convention, from which all forward tensors follow, but not all gradients: the mistakes
    of the backward pass are to be searched for in it."""

    difference: ForwardDifference | None = None
    """The first forward tensor that is wrong, whether it is explained or not."""


def forward_reading(
    problem: Problem, sent: SubmissionSpec, right: Right, criterion: Criterion, effort: Effort
) -> ForwardOutcome:
    """Return the best reading of a submission by another forward pass, and the first forward tensor that is wrong.

    Args:
        problem: the request's, or an equivalent one.
        sent: the submission as sent.
        right: the right values of that problem.
        criterion: when two numbers agree.
        effort: what is left of the replays that the check may make.
    """
    reading = Reading(problem=problem, sent=sent)
    return _ForwardSearch(reading, right, criterion, effort).outcome()


@dataclass(frozen=True, slots=True)
class _Match:
    variants: tuple[Variant, ...]
    right: Right
    residual: float
    whole: bool
    """True if the gradients follow as well."""


class _ForwardSearch:
    """One search."""

    def __init__(self, base: Reading, right: Right, criterion: Criterion, effort: Effort) -> None:
        self._base, self._right, self._criterion = base, right, criterion
        self._problem, self._sent = base.problem, base.sent
        self._effort = effort
        self._submission = read(right.network, base.sent)
        self._values = self._submission.values
        self._largest = max((float(np.abs(array).max(initial=0)) for array in self._values.values()), default=0.0)
        self._comparator = Comparator(right.network, criterion, right.trace, right.values)

    def outcome(self) -> ForwardOutcome:
        """Try single differences, then two common ones together, then an initial state."""
        difference = first_forward_difference(self._problem, self._submission, self._comparator)
        shown = any(q.part in FORWARD for q in self._values)
        if (shown and difference is None) or not self._wrong():
            return ForwardOutcome(difference=difference)
        singles = [(variant,) for reading in FORWARD_READINGS for variant in reading.variants(self._problem)]
        found = self._best(singles)
        small = sum(math.prod(shape) for shape in self._right.network.shapes.values()) <= SMALL
        small = small and len(self._problem.nodes) <= DEEP
        if small and not (found and found.whole):
            found = self._best(list(_pairs(singles))) or found
        if small and not (found and found.whole):
            found = self._initial_state() or found
        if small and not (found and found.whole) and not self._base.slugs and (other := self._written_otherwise()):
            return ForwardOutcome(interpretation=other, difference=difference)
        if found is None:
            return ForwardOutcome(difference=difference)
        if found.whole:
            return ForwardOutcome(interpretation=self._interpreted(found), difference=difference)
        if any(variant.mistake for variant in found.variants):
            return ForwardOutcome(difference=difference)
        return ForwardOutcome(partial=self._reading(found), difference=difference)

    def _written_otherwise(self) -> Interpretation | None:
        """Return another forward pass that is also written differently: with a sum for a mean, or in another convention."""
        for equivalence in EQUIVALENCES:
            for problem, sent, said in equivalence.readings(self._base):
                reading = Reading(problem=problem, sent=sent, slugs=(equivalence.slug,), said=(said,))
                search = _ForwardSearch(reading, Right(problem), self._criterion, self._effort)
                if sent.convention is not None and "transposed" in search._submission.layouts.values():
                    continue
                singles = [(variant,) for each in FORWARD_READINGS for variant in each.variants(problem)]
                if len(singles) > MANY:
                    singles = [(variant,) for (variant,) in singles if variant.common]
                found = search._best(singles)
                if found and found.whole:
                    return search._interpreted(found)
        return None

    def _wrong(self) -> list[Quantity]:
        return [q for q, yours in self._values.items() if not self._comparator.is_right(q, yours)]

    def _best(self, trials: Sequence[tuple[Variant, ...]]) -> _Match | None:
        """Return the variant from which the submission follows: with its gradients if there is one, then the nearest one."""
        matches = []
        for variants in trials:
            if self._effort.is_spent:
                break
            self._effort.spend(VARIANT)
            if match := self._match(variants, len(trials)):
                matches.append(match)
        whole = [match for match in matches if match.whole] or matches
        if not whole:
            return None
        nearest = min(match.residual for match in whole)
        return next(match for match in whole if match.residual <= 4 * nearest + 1e-12)

    def _match(self, variants: tuple[Variant, ...], tried: int) -> _Match | None:
        """Return the variant's right values, if the submission follows from them. Most fail by a cheap comparison."""
        problem = variants[-1].problem
        with np.errstate(all="ignore"):
            try:
                if not self._is_near(problem):
                    return None
                right = Right(problem)
                comparator = Comparator(right.network, self._criterion, right.trace, right.values)
                fits = {q: comparator.is_right(q, yours) for q, yours in self._values.items()}
            except IMPOSSIBLE:
                return None
        shown = [q for q in self._values if q.part in FORWARD]
        whole = all(fits.values())
        if not whole and not (shown and all(fits[q] for q in shown)):
            return None
        believed = list(self._values) if whole else shown
        if self._evidence(believed) < SURE + math.log10(max(tried, 1)):
            return None
        return _Match(variants, right, _residual(self._values, right, believed), whole)

    def _evidence(self, quantities: Sequence[Quantity]) -> float:
        """Return the decimal digits in which the numbers differ from the request's, beyond the allowed difference."""
        digits = 0.0
        for quantity in quantities:
            yours, expected = self._values[quantity], self._right.values[quantity]
            if yours.shape == expected.shape:
                allowed = np.maximum(self._comparator.allowed(quantity), 1e-300)
                digits += float(np.log10(np.clip(np.abs(yours - expected) / allowed, 1, 1e16)).sum())
        return digits

    def _is_near(self, problem: Problem) -> bool:
        """Compare what is submitted with one forward pass; the gradients from the last layer on if there is nothing else."""
        network = network_of(problem, self._right.network)
        trace = forward_pass(network, self._right.trace)
        shown = [q for q in self._values if q.part in FORWARD]
        for quantity in shown:
            if not self._near(quantity, _value(trace, quantity)):
                return False
        if shown:
            return True
        for node in reversed(network.problem.nodes):
            trace.deltas[node.name] = RIGHT.delta(trace, node.name)
            for quantity in self._values:
                if quantity.layer == node.name and quantity.part in ("deltas", "gradients"):
                    found = trace.deltas[node.name] if quantity.part == "deltas" else quantity.by_rule(RIGHT, trace)
                    if not self._near(quantity, found):
                        return False
        return True

    def _near(self, quantity: Quantity, found: Array) -> bool:
        yours = self._values[quantity]
        if yours.shape != found.shape or not np.isfinite(found).all():
            return False
        size = max(float(np.abs(found).max(initial=0)), CANCELLED * self._largest)
        allowed = 64 * self._criterion.allowed(found) + NEAR * size
        return bool(np.all(np.abs(yours - found) <= allowed))

    def _initial_state(self) -> _Match | None:
        """Return the match of an initial state that is not 0, recovered by least squares from what was submitted."""
        for variant in initial_states(self._problem, self._values, self._effort.check_deadline):
            if (match := self._match((variant,), 1)) and match.whole:
                return match
        return None

    def _reading(self, match: _Match) -> Reading:
        return Reading(
            problem=match.variants[-1].problem,
            sent=self._sent,
            slugs=(*self._base.slugs, *(each.slug for each in match.variants if not each.mistake)),
            said=(*self._base.said, *(each.said for each in match.variants if not each.mistake)),
        )

    def _interpreted(self, match: _Match) -> Interpretation:
        """Return a convention as another reading, and a mistake as an accusation of the first tensor that it changes."""
        if not any(variant.mistake for variant in match.variants):
            reading = self._reading(match)
            comparator = Comparator(match.right.network, self._criterion, match.right.trace, match.right.values)
            submission = read(match.right.network, self._sent)
            return Interpretation(reading, match.right, submission, comparator, [Hypothesis(match.right.trace)])
        right = self._right
        hypothesis = Hypothesis(right.trace)
        for variant in match.variants:
            if variant.mistake is None:
                continue
            finding = Finding((variant.mistake,), variant.mistake(), match.residual, True)
            for place in variant.places:
                accusation = Accusation(place, (finding,), right.values[place], match.right.values[place])
                hypothesis = hypothesis.accusing(accusation)
        return Interpretation(self._base, right, self._submission, self._comparator, [hypothesis])


def _pairs(singles: Sequence[tuple[Variant, ...]]) -> Iterator[tuple[Variant, ...]]:
    """Yield two common differences at once, of different kinds."""
    common = [variant for (variant,) in singles if variant.common]
    for first in common:
        for reading in FORWARD_READINGS:
            if reading.slug > first.slug:
                for second in reading.variants(first.problem):
                    if second.common:
                        yield first, second


def _value(trace: Trace, quantity: Quantity) -> Array:
    if quantity.part == "loss":
        return np.asarray(RIGHT.loss(trace))
    kept = trace.activations if quantity.part == "activations" else trace.preactivations
    return kept[quantity.layer]


def _residual(values: Mapping[Quantity, Array], right: Right, believed: Sequence[Quantity]) -> float:
    """Return the largest relative difference that remains."""
    found = [0.0]
    for quantity in believed:
        size = float(np.linalg.norm(right.values[quantity])) or 1.0
        found.append(float(np.linalg.norm(values[quantity] - right.values[quantity])) / size)
    return max(found)
