"""The check of a submission: compare, search, and put what was found into words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array
from core.checking.blind_spots import blind_spots
from core.checking.comparison import Judge, difference
from core.checking.differences import Numerical, recognised
from core.checking.equivalences import EQUIVALENCES, Reading
from core.checking.formulas import RIGHT
from core.checking.hypothesis import AGAIN, NAMED, Hypothesis
from core.checking.kinks import kinks
from core.checking.oracle import Oracle, certify
from core.checking.precision import UNITS, Criterion, criterion_for
from core.checking.quantity import Quantity, quantities, run, value_in
from core.checking.report import Blame, BlindSpot, Difference, Report, Row, Status, Verdict
from core.checking.scene import Network
from core.checking.search import Search
from core.checking.submission import SentSubmission, Submission, read
from core.checking.suppositions import suppositions
from core.checking.verdict import blamed, summary
from core.checking.words import Words
from core.plan import Keep
from core.problem import Problem

SMALL = 10_000
"""Up to this many numbers in all tensors, readings that differ from the request in two respects are tried as well."""

LARGE = 1_000_000
"""Beyond this many numbers in all tensors, blind spots are not looked for."""

MANY = 400
"""Beyond this many tensors likewise."""

UNTRUSTED = 1e-6
"""An error of the oracle beyond this makes every verdict inconclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What the caller allows; None where the submission's precision decides."""

    rtol: float | None = None
    atol: float | None = None


class Right:
    """A problem with everything right."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.network = Network(problem)
        self.scene = run(self.network, RIGHT)
        self.values = {quantity: value_in(self.scene, quantity, RIGHT) for quantity in quantities(self.network)}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a submission comes to under one reading of the request."""

    reading: Reading
    right: Right
    submission: Submission
    judge: Judge
    hypotheses: Sequence[Hypothesis]

    @property
    def cost(self) -> float:
        """How much has to be wrong or different."""
        return self.hypotheses[0].cost + self.reading.price if self.hypotheses else math.inf


class Examination:
    """A problem against which submissions are held."""

    @np.errstate(all="ignore")
    def __init__(self, problem: Problem, interrupt: Callable[[], object]) -> None:
        self.problem = problem
        self.interrupt = interrupt
        self.right = Right(problem)
        self.oracle: Oracle | None = certify(problem, self.right.scene) if problem.objective is not None else None

    @np.errstate(all="ignore")
    def report(self, sent: SentSubmission | None, dtypes: set[str], tolerance: Tolerance) -> Report:
        """Check a submission; without one, the server's own backward pass."""
        network = self.right.network
        submission = self._own() if sent is None else read(network, sent)
        criterion = criterion_for(
            {*dtypes, self.problem.dtype.name}, submission.values.values(), tolerance.rtol, tolerance.atol
        )
        reading = Reading(problem=self.problem, sent=sent or SentSubmission())
        attempt = self._attempt(reading, submission, self.right, criterion)
        numerical = None
        if sent is not None and attempt.hypotheses[0].accusations:
            numerical = self._numerical(attempt)
            attempt = self._forgiven(attempt) if numerical else self._supposing(self._read_otherwise(attempt))
        best, words = attempt.hypotheses[0], Words(attempt.right.network)
        rows = _rows(attempt)
        blame = blamed(words, best, attempt.hypotheses[1:])
        equivalences = _equivalences(attempt) + (
            [Difference(slug=numerical.slug, said=numerical.said)] if numerical else []
        )
        verdict = "inconclusive" if numerical else self._verdict(rows, blame, submission, equivalences)
        return Report(
            verdict=verdict,
            summary=summary(verdict, blame, rows, equivalences, self.oracle),
            blame=blame,
            rows=rows,
            equivalences=equivalences,
            kinks=kinks(self.right.scene, UNITS * criterion.unit),
            blind_spots=self._blind_spots(attempt),
            needs=_needs(submission, best),
            oracle=self.oracle,
            criterion=str(criterion),
        )

    @property
    def skips_blind_spots(self) -> bool:
        """Whether the network is too large to make every mistake in every rule."""
        size = sum(math.prod(shape) for shape in self.right.network.shapes.values())
        return size > LARGE or len(self.right.values) > MANY

    def _attempt(
        self,
        reading: Reading,
        submission: Submission,
        right: Right,
        criterion: Criterion,
        limit: float = math.inf,
    ) -> Attempt:
        """Explain a submission under a reading, as long as that costs less than the limit."""
        judge = Judge(right.network, criterion, right.scene, right.values)
        search = Search(right.network, judge, submission, self.interrupt, limit - reading.price)
        return Attempt(reading, right, submission, judge, search.explained())

    def _read_otherwise(self, attempt: Attempt) -> Attempt:
        """The reading under which least is wrong: what is written differently is no mistake."""
        small = sum(math.prod(shape) for shape in self.right.network.shapes.values()) <= SMALL
        while attempt.hypotheses[0].accusations:
            once = list(_readings(attempt.reading))
            cheaper = self._cheapest(attempt, once)
            if cheaper is attempt and small:
                cheaper = self._cheapest(attempt, [twice for each in once for twice in _readings(each)])
            if cheaper is attempt:
                break
            attempt = cheaper
        return attempt

    def _cheapest(self, attempt: Attempt, readings: Sequence[Reading]) -> Attempt:
        """The attempt, or one with another reading that costs less."""
        cheapest = attempt
        fine = [q for q, yours in attempt.submission.values.items() if attempt.judge.is_right(q, yours)]
        for reading in readings:
            right = attempt.right if reading.problem is attempt.reading.problem else Right(reading.problem)
            submission = read(right.network, reading.sent)
            if reading.sent.convention is not None and "transposed" in submission.layouts.values():
                continue  # Not everything is written in that convention.
            judge = Judge(right.network, attempt.judge.criterion, right.scene, right.values)
            if any(not judge.is_right(quantity, submission.values[quantity]) for quantity in fine):
                continue  # What is right as it is asked for would be wrong.
            other = self._attempt(reading, submission, right, attempt.judge.criterion, cheapest.cost)
            if other.cost < cheapest.cost:
                cheapest = other
        return cheapest

    def _numerical(self, attempt: Attempt) -> Numerical | None:
        """What kind of differences the submission is, if only gradients are wrong and they are differences."""
        values, judge = attempt.submission.values, attempt.judge
        wrong = {quantity: yours for quantity, yours in values.items() if not judge.is_right(quantity, yours)}
        if any(q.part not in ("gradients", "input_gradient") for q in wrong):
            return None
        if any(yours.shape != attempt.right.values[q].shape for q, yours in wrong.items()):
            return None
        return recognised(self.problem, wrong, attempt.right.values, judge.criterion, self.interrupt)

    def _forgiven(self, attempt: Attempt) -> Attempt:
        """The attempt without accusations."""
        best = attempt.hypotheses[0]
        return replace(attempt, hypotheses=[replace(best, accusations=(), cost=0.0)])

    def _supposing(self, attempt: Attempt) -> Attempt:
        """The attempt, or one that explains all of it by a mistake in the forward pass, where that was not submitted."""
        sent = {quantity.part for quantity in attempt.submission.values}
        unknown = any(not accusation.findings for accusation in attempt.hypotheses[0].accusations)
        if not unknown or sent & {"preactivations", "activations"}:
            return attempt
        for supposed in suppositions(attempt.right.scene):
            self.interrupt()
            price = NAMED + AGAIN * (len(supposed) - 1)
            search = Search(
                attempt.right.network,
                attempt.judge,
                attempt.submission,
                self.interrupt,
                min(attempt.hypotheses[0].cost, price + AGAIN / 2),
                supposed,
            )
            if found := search.explained():
                return replace(attempt, hypotheses=found)
        return attempt

    def _blind_spots(self, attempt: Attempt) -> list[BlindSpot]:
        """The mistakes that this batch could not have revealed."""
        if self.skips_blind_spots:
            return []
        return blind_spots(attempt.judge, attempt.right.scene, Words(attempt.right.network), self.interrupt)

    def _own(self) -> Submission:
        """What the server's own passes make of the problem."""
        keep = Keep(preactivations=True, deltas=self.problem.objective is not None, input_gradients=True)
        plan = self.problem.plan(keep=keep, interrupt=self.interrupt)
        plan.forward()
        plan.backward()
        parts: dict[str, Mapping[str, Array]] = {
            "preactivations": plan.preactivations,
            "activations": plan.activations,
        }
        values: dict[Quantity, Array] = {}
        if self.problem.objective is not None:
            parts |= {"deltas": plan.gradients.deltas, "input_gradient": plan.gradients.input_gradients}
            for layer, named in plan.gradients.gradients.items():
                values |= {Quantity("gradients", layer, name): np.array(array) for name, array in named.items()}
            if Quantity("loss") in self.right.values:
                values[Quantity("loss")] = np.asarray(plan.loss.total)
        for part, tensors in parts.items():
            values |= {Quantity(part, name): np.array(array) for name, array in tensors.items()}
        return Submission(values, {})

    def _verdict(
        self, rows: Sequence[Row], blame: Sequence[Blame], submission: Submission, equivalences: Sequence[Difference]
    ) -> Verdict:
        if not submission.values or (self.oracle is not None and not self.oracle.error < UNTRUSTED):
            return "inconclusive"
        if blame or any(row.status in ("wrong", "inherited") for row in rows):
            return "wrong"
        return "equivalent-layout" if equivalences else "correct"


def _readings(reading: Reading) -> Iterator[Reading]:
    """The same request read otherwise, in one more respect."""
    for equivalence in EQUIVALENCES:
        if equivalence.slug not in reading.slugs:
            for problem, sent, said in equivalence.readings(reading):
                yield Reading(
                    problem=problem, sent=sent, slugs=(*reading.slugs, equivalence.slug), said=(*reading.said, said)
                )


def _equivalences(attempt: Attempt) -> list[Difference]:
    """What is written differently, in words."""
    reading = attempt.reading
    found = [Difference(slug=slug, said=said) for slug, said in zip(reading.slugs, reading.said, strict=True)]
    turned = [quantity for quantity, layout in attempt.submission.layouts.items() if layout == "transposed"]
    if turned:
        names = ", ".join(f"{each.tensor} of {each.layer!r}" for each in turned)
        said = f"Transposed against the request's convention: {names}."
        found.append(Difference(slug="transposed-layout", said=said))
    return found


def _rows(attempt: Attempt) -> list[Row]:
    """Every tensor beside what is expected."""
    submission, judge = attempt.submission, attempt.judge
    accused = {accusation.quantity for accusation in attempt.hypotheses[0].accusations}
    rows = []
    for quantity, expected in attempt.right.values.items():
        if quantity not in submission.values:
            rows.append(Row(quantity=quantity, status="missing", total=expected.size))
            continue
        yours = submission.values[quantity]
        # Where every rule holds on the user's own numbers, what is left of a difference is rounding that adds up.
        right = not accused or judge.is_right(quantity, yours)
        status: Status = "wrong" if quantity in accused else "correct" if right else "inherited"
        fits = yours.shape == expected.shape
        rows.append(
            Row(
                quantity=quantity,
                status=status,
                total=expected.size,
                difference=difference(yours, expected, judge.allowed(quantity)) if fits else None,
                yours=yours,
                expected=expected,
                layout=submission.layouts.get(quantity),
                shapes=None if fits else (yours.shape, expected.shape),
            )
        )
    return rows


def _needs(submission: Submission, best: Hypothesis) -> list[str]:
    """Parts that would show more than those that were submitted."""
    sent = {quantity.part for quantity in submission.values}
    needs = []
    if not submission.values or (best.accusations and "deltas" not in sent):
        needs.append("deltas")
    vague = any(not accusation.findings for accusation in best.accusations)
    if not submission.values or (vague and "gradients" not in sent):
        needs.append("gradients")
    if vague and "activations" not in sent:
        needs.append("activations")
    return needs
