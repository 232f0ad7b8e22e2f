"""Every kind of public report is answered as a teacher would answer it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.core.checking.reports.answer import answer, answer_over_http
from tests.core.checking.reports.public_report import PublicReport
from tests.core.checking.reports.table import REPORTS, reports_table
from tests.systems.network import post


def marked(report: PublicReport) -> Any:
    marks = [pytest.mark.xfail(strict=True, reason=report.fails)] if report.fails else []
    return pytest.param(report, id=report.kind, marks=marks)


@pytest.mark.parametrize("report", [marked(each) for each in REPORTS])
def test_the_answer_is_a_teachers(report: PublicReport) -> None:
    found = answer(report.body)
    assert found.is_a_teachers(report), (found, report.verdicts, report.blame, report.says)


@pytest.mark.parametrize("report", [marked(each) for each in REPORTS[::7]])
def test_the_service_answers_the_same(client: httpx.Client, report: PublicReport) -> None:
    found = answer_over_http(post(client, "/v1/check", **report.body))
    assert found.is_a_teachers(report), (found, report.verdicts, report.blame, report.says)


def test_the_table_counts_what_a_teacher_would_have_said() -> None:
    head, _, first, second, total = reports_table([REPORTS[0], replace(REPORTS[1], verdicts=("correct",))])
    assert head.count("|") == first.count("|") == 7
    assert (first.endswith("| yes |"), second.endswith("| no |")) == (True, True)
    assert total.startswith("| **all 2** |")
    assert total.endswith("| **1** |")


def test_no_two_reports_have_one_name() -> None:
    names = [report.kind for report in REPORTS]
    assert len(names) == len(set(names))
