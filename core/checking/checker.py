"""The check of a submission: compare, search for mistakes, and describe them in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.blame import write_blame
from core.checking.blind_spots import blind_spots
from core.checking.effort import Effort
from core.checking.explanation import Explainer
from core.checking.interpretation import Interpretation, Right, equivalences_of, needs_of, rows_of
from core.checking.kinks import kinks
from core.checking.oracle import Oracle, certify
from core.checking.precision import UNITS, criterion_for
from core.checking.quantity import Quantity
from core.checking.report import Blame, BlindSpot, Report, ReportedEquivalence, Row, Verdict
from core.checking.submission import Submission, SubmissionSpec, read
from core.checking.summary import summary
from core.checking.words import Words
from core.errors import Refusal
from core.plan import Retain
from core.problem import Problem

LARGE = 1_000_000
"""With more numbers in all tensors, blind spots are not searched for."""

MANY = 400
"""With more tensors, blind spots are not searched for either."""

UNTRUSTED = 1e-6
"""A larger error of the oracle makes every verdict inconclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The tolerances of the caller; None if the precision of the submission decides."""

    rtol: float | None = None
    atol: float | None = None


class Checker:
    """A problem with its right values, which checks submissions."""

    @np.errstate(all="ignore")
    def __init__(self, problem: Problem, check_deadline: CheckDeadline) -> None:
        self.problem = problem
        self.check_deadline = check_deadline
        self.right = Right(problem)
        self.oracle: Oracle | None = certify(problem, self.right.trace) if problem.objective is not None else None

    @np.errstate(all="ignore")
    def report(self, sent: SubmissionSpec | None, dtypes: set[str], tolerance: Tolerance) -> Report:
        """Check a submission; without one, the server's own backward pass."""
        network = self.right.network
        submission = self._own() if sent is None else read(network, sent)
        criterion = criterion_for({*dtypes, self.problem.dtype.name}, submission.values, tolerance.rtol, tolerance.atol)
        effort = Effort(self.check_deadline)
        explained = Explainer(self.problem, self.right, effort).explain(sent, submission, criterion)
        interpretation, numerical = explained.interpretation, explained.numerical
        rows = rows_of(interpretation)
        accused = explained.rival or interpretation
        best, *others = accused.hypotheses
        deltas_sent = any(quantity.part == "deltas" for quantity in submission.values)
        words = Words(accused.right.network)
        blame = write_blame(
            words, accused.comparator, best, others, deltas_sent=deltas_sent, difference=explained.difference
        )
        if explained.rival:
            blame = [replace(each, certainty="ambiguous") for each in blame]
        equivalences = equivalences_of(interpretation) + (
            [ReportedEquivalence(slug=numerical.slug, said=numerical.said)] if numerical else []
        )
        hidden = None if explained.partial else self._blind_spots(interpretation)
        partial = hidden is None
        undecided = numerical is not None or explained.rival is not None
        verdict = "inconclusive" if undecided else self._verdict(rows, blame, submission, equivalences)
        return Report(
            verdict=verdict,
            summary=summary(
                verdict,
                blame,
                rows,
                equivalences,
                self.oracle,
                own=sent is None,
                partial=partial,
                another_function=explained.difference is not None,
            ),
            blame=blame,
            rows=rows,
            equivalences=equivalences,
            kinks=kinks(self.right.trace, UNITS * criterion.unit),
            blind_spots=hidden or [],
            needs=needs_of(submission, best),
            oracle=self.oracle,
            criterion=str(criterion),
            partial=partial,
        )

    @property
    def skips_blind_spots(self) -> bool:
        """True if the network is too large to try every mistake in every rule."""
        size = sum(math.prod(shape) for shape in self.right.network.shapes.values())
        return size > LARGE or len(self.right.values) > MANY

    def _blind_spots(self, interpretation: Interpretation) -> list[BlindSpot] | None:
        """Return the mistakes that this batch cannot reveal; None if the time of the server is used up."""
        if self.skips_blind_spots:
            return []
        words = Words(interpretation.right.network)
        try:
            return blind_spots(interpretation.comparator, interpretation.right.trace, words, self.check_deadline)
        except Refusal as refusal:
            if not refusal.is_timeout:
                raise
            return None

    def _own(self) -> Submission:
        """Return the results of the server's own passes as a submission."""
        retain = Retain(preactivations=True, deltas=self.problem.objective is not None, input_gradients=True)
        plan = self.problem.plan(retain=retain, check_deadline=self.check_deadline)
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
        self,
        rows: Sequence[Row],
        blame: Sequence[Blame],
        submission: Submission,
        equivalences: Sequence[ReportedEquivalence],
    ) -> Verdict:
        if not submission.values or (self.oracle is not None and not self.oracle.error < UNTRUSTED):
            return "inconclusive"
        if blame or any(row.status in ("wrong", "inherited") for row in rows):
            return "wrong"
        return "equivalent-layout" if equivalences else "correct"
