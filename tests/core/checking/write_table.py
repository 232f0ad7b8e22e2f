"""Writes the tables of docs/checker.md: python -m tests.core.checking.write_table (make checker-table)."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from core.checking import Report
from core.checking.quantity import Quantity
from tests import ROOT
from tests.core.checking.campaign.dense import trials
from tests.core.checking.campaign.tables import tables
from tests.core.checking.reports.table import reports_table
from tests.core.checking.student import PARTS, Student, examined
from tests.core.checking.test_other_kinds import WRONG, name_of
from tests.core.checking.test_precision import exercise_of, in_float32, mapped
from tests.core.checking.unknown import pairs, pairs_in_one_rule, unknown_trials

FILE = ROOT / "docs" / "checker.md"
BEGIN, END = "<!-- written by make checker-table -->", "<!-- end -->"
GRADIENTS = ("loss", "gradients")


def known() -> Iterator[str]:
    """Every known mistake of dense networks."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for trial in trials():
        report, sent = trial.report(), "with" if "deltas" in trial.parts else "without"
        blamed = [(blame.quantity, blame.cause) for blame in report.blame]
        where = f"{trial.fault.cause}` in `{trial.fault.part}{'.' if trial.fault.name else ''}{trial.fault.name}"
        counts[where][f"{sent} all"] += 1
        counts[where][sent] += blamed == [(trial.fault.quantity(trial.layer), trial.fault.cause)]
    yield "| mistake, and the rule it is in | deltas sent | loss and gradients alone |"
    yield "|---|---|---|"
    for where, count in counts.items():
        yield f"| `{where}` | {count['with']} of {count['with all']} | {count['without']} of {count['without all']} |"
    total: Counter[str] = sum(counts.values(), Counter())
    yield f"| **all** | {total['with']} of {total['with all']} | {total['without']} of {total['without all']} |"


def kinds() -> Iterator[str]:
    """The mistakes of other kinds of layers."""
    yield "| program | mistake | deltas sent | not sent |"
    yield "|---|---|---|---|"
    for program, cause, places in WRONG:
        problem, submission = program(cause)
        expected = ({Quantity(*place) for place in places}, {cause})
        found = [named(examined(problem, sent)) == expected for sent in (submission, replace(submission, deltas={}))]
        yield f"| {name_of(program)} | `{cause}` | {said(found[0])} | {said(found[1])} |"


def named(report: Report) -> tuple[set[Quantity], set[str]]:
    """The places and the causes of a report."""
    return {blame.quantity for blame in report.blame}, {blame.cause for blame in report.blame}


def said(found: bool) -> str:
    """A cell."""
    return "found" if found else "not found"


def others() -> Iterator[str]:
    """Unknown faults, pairs, and programs that are right."""
    yield "| what was submitted | what was asked | |"
    yield "|---|---|---|"
    count: Counter[str] = Counter()
    for fault, exercise, layer in unknown_trials(400):
        report = examined(exercise.problem(), fault.program(layer).solve(exercise).submission(*PARTS))
        places = [blame.quantity for blame in report.blame]
        count["located"] += places == [fault.quantity(layer)]
        count["open"] += all(blame.cause == "unknown" for blame in report.blame)
    sort = "400 random unknown faults (one number, a function, a matrix), deltas sent"
    yield f"| {sort} | right layer and rule, nothing else accused | {count['located']} |"
    yield f"| the same | no known cause claimed | {count['open']} |"
    ways: list[tuple[tuple[str, ...], str]] = [(PARTS, "deltas sent"), (GRADIENTS, "loss and gradients alone")]
    for parts, text in ways:
        found = total = 0
        for pair in pairs(200):
            report = examined(pair.exercise.problem(), pair.program().solve(pair.exercise).submission(*parts))
            found += {(blame.quantity, blame.cause) for blame in report.blame} == pair.expected()
            total += 1
        sort = f"{total} random pairs of known mistakes in two rules, {text}"
        yield f"| {sort} | both rules and both causes, nothing else | {found} |"
        found = total = 0
        for causes, program, exercise, layer in pairs_in_one_rule():
            report = examined(exercise.problem(), program.solve(exercise).submission(*parts))
            found += [(b.quantity, b.cause) for b in report.blame] == [(Quantity("deltas", str(layer + 1)), causes)]
            total += 1
        yield f"| {total} pairs in one rule (a factor and a wrong f'), {text} | both causes | {found} |"
    accused: Counter[str] = Counter()
    for seed in range(500):
        exercise = exercise_of(seed)
        problem, solution = exercise.problem(), Student().solve(exercise)
        single = Student().solve(in_float32(exercise))
        significant: Any = np.vectorize(lambda x: float(f"{x:.6g}"))
        for name, sent, dtypes in (
            ("in float64", solution, []),
            ("in float32", single, ["float32"]),
            ("rounded to 6 significant digits", mapped(solution, significant), []),
            ("rounded to 6 decimal places", mapped(solution, lambda array: np.round(array, 6)), []),
        ):
            for parts in ways[0][0], ("gradients",):
                report = examined(problem, sent.submission(*parts), *dtypes)
                accused[name] += report.verdict != "correct"
    for name, number in accused.items():
        yield f"| 500 correct random programs {name}, everything and gradients alone | never accused | {number} accused |"


def main() -> None:
    """Run everything and write the tables; `--scale 0.1` runs a tenth of the campaign and prints its tables alone."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("--scale", type=float, default=None)
    scale = parser.parse_args().scale
    if scale is not None:
        print("\n".join(tables(scale)))
        return
    text = FILE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    written = "\n\n".join(
        [
            "### Known mistakes of dense networks",
            "\n".join(known()),
            "### Known mistakes of other layers",
            "\n".join(kinds()),
            "### Everything else",
            "\n".join(others()),
            "### Public reports",
            "\n".join(reports_table()),
            "\n".join(tables(1.0)),
        ]
    )
    FILE.write_text(f"{before}{BEGIN}\n\n{written}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
