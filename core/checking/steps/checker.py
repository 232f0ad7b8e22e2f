"""The check of submitted steps, described in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.comparison import difference
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.report import Alternative, BlindSpot, Certainty, ReportedEquivalence, Verdict
from core.checking.steps.agreement import Agreement, Key
from core.checking.steps.course import Course
from core.checking.steps.equations import right_rule
from core.checking.steps.moment import Layout
from core.checking.steps.reading import Misfit, SentStep, read_steps
from core.checking.steps.report import StepBlame, StepReport, StepRow
from core.checking.steps.rules import UpdateRule
from core.checking.steps.search import Explanation, Found, Search
from core.convention import Convention
from core.optimizers import Optimizer
from core.problem import Problem
from core.training.stepper import OptimizerState
from core.training.trainable import Trainable

PARAMETERS = "step.parameters"
NAMED = 6
"""The largest number of parameters that a sentence names."""

FEWEST = 3
"""With fewer wrong numbers than this, a cause is likely and not exact."""


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
        self.read = read_steps(problem, sent.steps, sent.optimizer, sent.convention)
        self.course = Course(
            problem, sent.optimizer, self.layout, sent.before, self.read.steps, sent.rates, check_deadline
        )
        sent_arrays = enumerate(point.theta.values[point.theta.known] for point in self.course.points)
        arrays = {Quantity("step", str(number)): array for number, array in sent_arrays}
        self.criterion = criterion_for(dtypes, arrays, rtol, atol)

    @np.errstate(all="ignore")
    def report(self) -> StepReport:
        """Return the verdict on the steps."""
        found = Search(self.course, Agreement(self.course, self.criterion)).run()
        equivalences = list(self.read.equivalences)
        blame = [self._misfit(each) for each in self.read.misfits]
        verdict: Verdict = "correct"
        readings = []
        for each in found.explanations:
            forms = [rule for rule in each.mistakes if rule.is_form]
            also = [rules for rules in each.alternatives if any(not rule.is_form for rule in rules)]
            equivalences += [ReportedEquivalence(slug=rule.slug, said=_sentence(rule)) for rule in forms]
            if each.wrong or not each.mistakes:
                blame.append(self._blame(each, found))
            elif also:
                verdict = "inconclusive"
                readings += [
                    f"It may also be a mistake: {_sentence(also[0][0])} Send {self._needed()} to tell them apart."
                ]
        if blame:
            verdict = "wrong"
        elif verdict == "correct" and equivalences:
            verdict = "equivalent-layout"
        compared = any(point.theta.known.any() or point.slots for point in self.course.points)
        if not compared and not blame:
            verdict = "inconclusive"
        rows = self._rows(found, Agreement(self.course, self.criterion))
        return StepReport(
            verdict=verdict,
            summary=self._summary(verdict, blame, equivalences, readings, compared),
            blame=blame,
            rows=rows,
            equivalences=equivalences,
            blind_spots=self._blind_spots(found),
            needs=self._needs(verdict, blame, found),
            criterion=self._criterion(),
        )

    def _criterion(self) -> str:
        if self.criterion.chosen:
            return str(self.criterion)
        text = f"{2 * self.criterion.unit:.1e} |parameter| + {self.criterion.rtol:g} |its update|"
        if self.criterion.digits:
            text += f" + half a unit of the last digit sent before and after ({self.criterion.digits})"
        return f"Parameters after a step: {text} + 4 times the effect of rounding in the gradient"

    def _blame(self, each: Explanation, found: Found) -> StepBlame:
        step = min(self.course.points[found.wrong[key][0]].step for key in each.keys)
        fix = right_rule(self.sent.optimizer, step)
        where = self._where(each.keys)
        shows = f"It shows from step {step} on, in {where}."
        quantity = self._quantity(each.keys)
        ratio = self._ratio(each.keys, found)
        if not each.mistakes:
            return StepBlame(
                quantity=quantity,
                tensors=(quantity,),
                block="",
                cause="unknown",
                certainty="located",
                rule=fix.latex,
                wrong="",
                said=f"Your parameters do not follow from those before by the rule of {self.sent.optimizer.kind}, and no "
                f"known mistake explains them. {shows}",
                why="Compare your update with the rule, term by term. If the gradients may be wrong, send the ones that the "
                "update used: `gradients` of that step.",
                fix=fix,
                ratio=ratio,
                factor=None,
                residual=None,
                step=step,
            )
        alternatives = [
            Alternative(
                cause=" and ".join(rule.slug for rule in rules),
                quantity=quantity,
                why=" ".join(f"{_sentence(rule)} {rule.why}" for rule in rules),
                separate=_separate(each.wrong[0], rules[0], self._needed()),
            )
            for rules in each.alternatives
        ]
        numbers = sum(
            self.layout.slices[key].stop - self.layout.slices[key].start for key in each.keys for _ in found.wrong[key]
        )
        certainty: Certainty = "ambiguous" if alternatives else "exact" if numbers >= FEWEST else "likely"
        said = " ".join(_sentence(rule) for rule in each.wrong)
        if each.factor is not None:
            said = said.replace("a constant factor", f"the constant factor {each.factor:.6g}")
        return StepBlame(
            quantity=quantity,
            tensors=(quantity,),
            block="",
            cause=" and ".join(rule.slug for rule in each.wrong),
            certainty=certainty,
            rule=fix.latex,
            wrong=r", \quad ".join(rule.wrong for rule in each.wrong),
            said=f"{said} {shows}",
            why=" ".join(rule.why for rule in each.wrong),
            fix=fix,
            ratio=ratio,
            factor=each.factor,
            residual=None,
            alternatives=alternatives,
            step=step,
        )

    def _misfit(self, misfit: Misfit) -> StepBlame:
        fix = right_rule(self.sent.optimizer, misfit.step)
        return StepBlame(
            quantity=Quantity(misfit.part, misfit.layer, misfit.name),
            tensors=(Quantity(misfit.part, misfit.layer, misfit.name),),
            block="",
            cause="update-changes-shape",
            certainty="exact",
            rule=fix.latex,
            wrong=r"\theta - \eta\, \Delta \text{ of another shape}",
            said=f"Your {misfit.name} of layer {misfit.layer!r} has the shape {list(misfit.got)} after step {misfit.step}, "
            f"and not {list(misfit.wanted)}.",
            why="An update has the shape of the parameter. Where a gradient has one row for each example, or is a column in "
            "place of a row, broadcasting makes the parameter larger: sum the gradient over the examples first.",
            fix=fix,
            ratio=None,
            factor=None,
            residual=None,
            step=misfit.step,
        )

    def _quantity(self, keys: Sequence[Key]) -> Quantity:
        """Return the layer and the parameter if there is one of each, otherwise what they have in common."""
        layers, names = {layer for layer, _ in keys}, {name for _, name in keys}
        return Quantity(
            PARAMETERS, next(iter(layers)) if len(layers) == 1 else "", next(iter(names)) if len(names) == 1 else ""
        )

    def _where(self, keys: Sequence[Key]) -> str:
        known = {
            key
            for key, part in self.layout.slices.items()
            if any(point.theta.known[part].any() for point in self.course.points)
        }
        if known and set(keys) == known and len(keys) > 1:
            return "every parameter"
        if len(keys) > NAMED:
            return f"{len(keys)} parameters"
        return ", ".join(f"the {name} of layer {layer!r}" for layer, name in keys)

    def _ratio(self, keys: Sequence[Key], found: Found) -> float | None:
        """Return the ratio of the submitted to the right updates where it first shows, if it is the same everywhere."""
        number = min(found.wrong[key][0] for key in keys)
        point, own = self.course.points[number], found.predicted[number]
        mask = np.zeros_like(point.theta.known)
        for key in keys:
            mask[self.layout.slices[key]] = True
        mask &= point.theta.known & (own.theta != own.before)
        ratios = (point.theta.values - own.before)[mask] / (own.theta - own.before)[mask]
        if len(ratios) < FEWEST or not np.isfinite(ratios).all():
            return None
        middle = float(np.median(ratios))
        return middle if np.all(np.abs(ratios - middle) <= 1e-5 * max(abs(middle), 1e-3)) else None

    def _rows(self, found: Found, agreement: Agreement) -> list[StepRow]:
        rows = []
        for number, (point, own) in enumerate(zip(self.course.points, found.predicted, strict=True)):
            vectors = {PARAMETERS: (point.theta, own.theta)}
            vectors |= {
                f"step.optimizer_state.{name}": (vector, own.slots[name]) for name, vector in point.slots.items()
            }
            for part, (yours, right) in vectors.items():
                for (layer, name), piece in self.layout.slices.items():
                    if not yours.known[piece].all() or piece.start == piece.stop:
                        continue
                    shape = dict(((one, two), three) for one, two, three in self.layout.trainable.entries)[layer, name]
                    sent, expected = yours.values[piece].reshape(shape), right[piece].reshape(shape)
                    before = own.before[piece].reshape(shape) if part == PARAMETERS else np.zeros(shape)
                    apart = difference(sent, expected, agreement.allowed(expected, before))
                    is_wrong = number in found.wrong.get((layer, name), []) and apart.mismatched > 0
                    rows.append(
                        StepRow(
                            quantity=Quantity(part, layer, name),
                            status="wrong" if is_wrong else "correct",
                            total=expected.size,
                            difference=apart,
                            yours=sent,
                            expected=expected,
                            layout=self.read.layouts.get((point.step, part, layer, name)),
                            step=point.step,
                        )
                    )
        rows += [
            StepRow(
                quantity=Quantity(each.part, each.layer, each.name),
                status="wrong",
                total=int(np.prod(each.wanted)),
                shapes=(each.got, each.wanted),
                step=each.step,
            )
            for each in self.read.misfits
        ]
        return rows

    def _blind_spots(self, found: Found) -> list[BlindSpot]:
        return [
            BlindSpot(
                cause=rule.slug, layer="", tensor=PARAMETERS, reason=f"{rule.unseen[0].upper()}{rule.unseen[1:]}."
            )
            for rule in found.unseen
        ]

    def _needed(self) -> str:
        """Return what a submission could add."""
        missing = [] if any(point.slots for point in self.course.points) else ["the optimizer_state after each step"]
        return ", and ".join([*missing, "one step more" if len(self.course.points) > 1 else "two steps or more"])

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
        return " ".join([*said, *(["Not a mistake:", *otherwise] if otherwise else [])])


def _sentence(rule: type[UpdateRule]) -> str:
    return f"{rule.said}."


def _separate(first: type[UpdateRule], other: type[UpdateRule], needed: str) -> str:
    return f"Send {needed}."
