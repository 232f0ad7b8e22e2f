"""The table of public reports in docs/checker.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.core.checking.reports import (
    mazur,
    of_activations,
    of_attention,
    of_convolution,
    of_dense_layers,
    of_differences,
    of_factors,
    of_learning,
    of_normalisation,
    of_sequences,
    of_updates,
)
from tests.core.checking.reports.answer import answer
from tests.core.checking.reports.public_report import PublicReport

REPORTS: tuple[PublicReport, ...] = (
    *of_dense_layers.REPORTS,
    *of_activations.REPORTS,
    *of_factors.REPORTS,
    *of_convolution.REPORTS,
    *of_normalisation.REPORTS,
    *of_sequences.REPORTS,
    *of_attention.REPORTS,
    *of_differences.REPORTS,
    *of_updates.REPORTS,
    *mazur.REPORTS,
    *of_learning.REPORTS,
)


def reports_table(reports: Sequence[PublicReport] = REPORTS) -> Iterator[str]:
    """Yield a row for each kind of report, and what a teacher would have said of how many."""
    yield "| what was reported | where | what was sent | verdict | said cause | as a teacher would |"
    yield "|---|---|---|---|---|---|"
    right = 0
    for report in reports:
        found = answer(report.body)
        same = found.is_a_teachers(report)
        right += same
        parts = ", ".join(report.body["submission"])
        causes = dict.fromkeys(" or ".join(f"`{cause}`" for cause in sorted(each[2])) for each in found.blame)
        said = ", ".join([*causes, *(f"`{each}`" for each in sorted(found.says))]) or "—"
        yield f"| {report.kind} | {report.source} | {parts} | {found.verdict} | {said} | {'yes' if same else 'no'} |"
    yield f"| **all {len(reports)}** | | | | | **{right}** |"
