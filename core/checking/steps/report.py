"""The parts of a report that belong to a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.checking.report import Blame, BlindSpot, Report, ReportedEquivalence, Row, Verdict

PARAMETERS = "step.parameters"
"""The tensors of submitted parameters in an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow(Row):
    """One tensor after one step beside what was expected of it."""

    step: int
    """Number of steps completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBlame(Blame):
    """A rule of an update that is wrong, and its mistake."""

    step: int
    """The first step in which it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """The outcome of the check of the steps."""

    verdict: Verdict
    summary: str
    blame: Sequence[StepBlame]
    rows: Sequence[StepRow]
    equivalences: Sequence[ReportedEquivalence]
    blind_spots: Sequence[BlindSpot]
    needs: Sequence[str]
    criterion: str
    partial: bool
    """True if the search ended before every known mistake was tried."""


def with_steps(report: Report, steps: StepReport, *, alone: bool) -> Report:
    """Return the report on a backpropagation and on the steps after it; `alone` if only steps were submitted."""
    if alone:
        return replace(
            report,
            verdict=steps.verdict,
            summary=steps.summary,
            blame=steps.blame,
            rows=steps.rows,
            equivalences=steps.equivalences,
            kinks=[],
            blind_spots=steps.blind_spots,
            needs=steps.needs,
            criterion=steps.criterion,
            partial=steps.partial,
        )
    order: tuple[Verdict, ...] = ("wrong", "inconclusive", "equivalent-layout", "correct")
    return replace(
        report,
        verdict=min(report.verdict, steps.verdict, key=order.index),
        summary=f"{report.summary} {steps.summary}",
        blame=[*report.blame, *steps.blame],
        rows=[*report.rows, *steps.rows],
        equivalences=[*report.equivalences, *steps.equivalences],
        blind_spots=[*report.blind_spots, *steps.blind_spots],
        needs=[*report.needs, *steps.needs],
        partial=report.partial or steps.partial,
        criterion=f"{report.criterion}. {steps.criterion}",
    )
