"""Every kind of public report is answered as a teacher would answer it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.core.checking.reports.answer import answer, answer_over_http
from tests.core.checking.reports.public_report import PublicReport
from tests.core.checking.reports.table import REPORTS
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


def test_no_two_reports_have_one_name() -> None:
    names = [report.kind for report in REPORTS]
    assert len(names) == len(set(names))
