"""The check of submitted steps, described in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.effort import Effort
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.report import BlindSpot, ReportedEquivalence, Verdict
from core.checking.steps.agreement import Agreement
from core.checking.steps.blaming import Blaming, needed, sentence
from core.checking.steps.course import Course
from core.checking.steps.explanation import Found
from core.checking.steps.moment import Layout
from core.checking.steps.reading import SentStep, read_steps
from core.checking.steps.report import PARAMETERS, StepBlame, StepReport
from core.checking.steps.rows import step_rows
from core.checking.steps.search import Search
from core.convention import Convention
from core.optimizers import Optimizer
from core.problem import Problem
from core.training.stepper import OptimizerState
from core.training.trainable import Trainable


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """The submitted steps, as they were sent."""

    optimizer: Optimizer
    before: OptimizerState
    """The state before the first step, in the core's layout."""

    steps: Sequence[SentStep]
    rates: Mapping[str, Mapping[str, Array]] | None = None
    """Learning rates of single weights, in the core's layout."""

    frozen: Sequence[str] = ()
    convention: Convention | None = None
    """Layout of the submitted matrices. Default: that of the problem."""


class StepChecker:
    """Checks the steps of one submission."""

    def __init__(
        self,
        problem: Problem,
        sent: StepSpec,
        dtypes: set[str],
        rtol: float | None,
        atol: float | None,
        check_deadline: CheckDeadline,
    ) -> None:
        self.problem, self.sent = problem, sent
        self.layout = Layout(problem, Trainable(problem.nodes, sent.frozen))
        self.read = read_steps(problem, sent.steps, sent.optimizer, sent.convention, sent.before.step)
        self.course = Course(
            problem,
            sent.optimizer,
            self.layout,
            sent.before,
            self.read.steps,
            sent.rates,
            Effort(check_deadline),
        )
        sent_arrays = enumerate(point.theta.values[point.theta.known] for point in self.course.points)
        arrays = {Quantity("step", str(number)): array for number, array in sent_arrays}
        self.criterion = criterion_for(dtypes, arrays, rtol, atol)

    @np.errstate(all="ignore")
    def report(self) -> StepReport:
        """Return the verdict on the steps."""
        agreement = Agreement(self.course, self.criterion)
        found = Search(self.course, agreement, self.course.effort).run()
        blaming = Blaming(self.course, found)
        equivalences = list(self.read.equivalences)
        blame = [blaming.misfit(each) for each in self.read.misfits]
        verdict: Verdict = "correct"
        readings = []
        for each in found.explanations:
            forms = [rule for rule in each.mistakes if rule.is_form]
            also = [rules for rules in each.alternatives if any(not rule.is_form for rule in rules)]
            equivalences += [ReportedEquivalence(slug=rule.slug, said=sentence(rule)) for rule in forms]
            if each.wrong or not each.mistakes:
                blame.append(blaming.blame(each))
            elif also:
                verdict = "inconclusive"
                readings += [
                    f"It may also be a mistake: {sentence(also[0][0])} Send {needed(self.course)} to tell them apart."
                ]
        if blame:
            verdict = "wrong"
        elif verdict == "correct" and equivalences:
            verdict = "equivalent-layout"
        compared = any(point.theta.known.any() or point.slots for point in self.course.points)
        if (not compared or found.partial) and not blame:
            verdict = "inconclusive"  # What was not judged is not right for that.
        rows = step_rows(self.course, found, agreement, self.read)
        return StepReport(
            verdict=verdict,
            summary=self._summary(verdict, blame, equivalences, readings, compared, partial=found.partial),
            blame=blame,
            rows=rows,
            equivalences=equivalences,
            blind_spots=[] if found.partial else self._blind_spots(found),
            needs=self._needs(verdict, blame, found),
            criterion=self._criterion(),
            partial=found.partial,
        )

    def _criterion(self) -> str:
        if self.criterion.chosen:
            return str(self.criterion)
        text = f"{2 * self.criterion.unit:.1e} |parameter| + {self.criterion.rtol:g} |its update|"
        if self.criterion.digits:
            text += f" + half a unit of the last digit sent before and after ({self.criterion.digits})"
        return f"Parameters after a step: {text} + 4 times the effect of rounding in the gradient"

    def _blind_spots(self, found: Found) -> list[BlindSpot]:
        return [
            BlindSpot(
                cause=rule.slug, layer="", tensor=PARAMETERS, reason=f"{rule.unseen[0].upper()}{rule.unseen[1:]}."
            )
            for rule in found.unseen
        ]

    def _needs(self, verdict: Verdict, blame: Sequence[StepBlame], found: Found) -> list[str]:
        vague = verdict == "inconclusive" or any(each.certainty in ("ambiguous", "located") for each in blame)
        needs = []
        if vague and not any(point.slots for point in self.course.points) and self.sent.optimizer.slots:
            needs.append("step.optimizer_state")
        if vague and not all(point.gradient.known.all() for point in self.course.points):
            needs.append("step.gradients")
        if len(self.course.points) == 1 and (vague or found.unseen):
            needs.append("step.steps")
        return needs

    def _summary(
        self,
        verdict: Verdict,
        blame: Sequence[StepBlame],
        equivalences: Sequence[ReportedEquivalence],
        readings: Sequence[str],
        compared: bool,
        *,
        partial: bool,
    ) -> str:
        kind, number = self.sent.optimizer.kind, len(self.course.points)
        if not compared and not blame:
            return "The step has no parameter that can be compared."
        otherwise = [each.said for each in equivalences]
        if verdict == "correct":
            steps = "step follows" if number == 1 else f"{number} steps follow"
            return f"Your {steps} from your parameters by the rule of {kind}."
        if verdict == "equivalent-layout":
            return " ".join(["Your update is right, but written differently.", *otherwise])
        if verdict == "inconclusive":
            return " ".join(["The update may be right, but written differently.", *otherwise, *readings])
        said = [each.said for each in blame]
        said += ["Not a mistake:", *otherwise] if otherwise else []
        if partial:
            said.append("The search ended before every known mistake was tried; what is said here holds all the same.")
        return " ".join(said)
