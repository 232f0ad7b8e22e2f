"""The check of a submission: compare, search, and put what was found into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.comparison import Judge, difference
from core.checking.formulas import RIGHT
from core.checking.hypothesis import Hypothesis
from core.checking.oracle import Oracle, certify
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity, quantities, run, value_in
from core.checking.report import Report, Row, Status, Verdict
from core.checking.scene import Network
from core.checking.search import Search
from core.checking.submission import SentSubmission, Submission, read
from core.checking.verdict import blamed, summary
from core.checking.words import Words
from core.plan import Keep
from core.problem import Problem

UNTRUSTED = 1e-6
"""An error of the oracle beyond this makes every verdict inconclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What the caller allows; None where the submission's precision decides."""

    rtol: float | None = None
    atol: float | None = None


class Examination:
    """A problem with everything right, against which submissions are held."""

    @np.errstate(all="ignore")
    def __init__(self, problem: Problem, interrupt: Callable[[], object]) -> None:
        self.problem = problem
        self.network = Network(problem)
        self.interrupt = interrupt
        self.truth = run(self.network, RIGHT)
        self.right = {quantity: value_in(self.truth, quantity, RIGHT) for quantity in quantities(self.network)}
        self.oracle: Oracle | None = certify(problem, self.right) if problem.objective is not None else None

    @np.errstate(all="ignore")
    def report(self, sent: SentSubmission | None, dtypes: set[str], tolerance: Tolerance) -> Report:
        """Check a submission; without one, the server's own backward pass."""
        submission = self._own() if sent is None else read(self.network, sent)
        criterion = criterion_for(
            {*dtypes, self.problem.dtype.name}, submission.values.values(), tolerance.rtol, tolerance.atol
        )
        judge = Judge(self.network, criterion, self.truth, self.right)
        hypotheses = Search(self.network, judge, submission, self.interrupt).explained()
        best = hypotheses[0]
        rows = self._rows(submission, judge, best)
        words = Words(self.network)
        blame = blamed(words, best, hypotheses[1:])
        verdict = self._verdict(rows, blame, submission)
        return Report(
            verdict=verdict,
            summary=summary(verdict, blame, rows, submission, self.oracle),
            blame=blame,
            rows=rows,
            equivalences=(),
            kinks=(),
            blind_spots=(),
            needs=self._needs(submission, best),
            oracle=self.oracle,
            criterion=str(criterion),
        )

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
            if Quantity("loss") in self.right:
                values[Quantity("loss")] = np.asarray(plan.loss.total)
        for part, tensors in parts.items():
            values |= {Quantity(part, name): np.array(array) for name, array in tensors.items()}
        return Submission(values, {})

    def _rows(self, submission: Submission, judge: Judge, best: Hypothesis) -> list[Row]:
        accused = {accusation.quantity for accusation in best.accusations}
        rows = []
        for quantity, expected in self.right.items():
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

    def _verdict(self, rows: Sequence[Row], blame: Sequence[object], submission: Submission) -> Verdict:
        if not submission.values or (self.oracle is not None and not self.oracle.error < UNTRUSTED):
            return "inconclusive"
        if blame or any(row.status in ("wrong", "inherited") for row in rows):
            return "wrong"
        return "equivalent-layout" if "transposed" in submission.layouts.values() else "correct"

    def _needs(self, submission: Submission, best: Hypothesis) -> list[str]:
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
