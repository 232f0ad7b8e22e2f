"""Every known mistake is found: the right layer, the right rule, the right cause, and nothing else is accused."""

from __future__ import annotations

import inspect
import itertools

import pytest

from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Mistake
from tests.core.checking.campaign.dense import Trial, trials
from tests.core.checking.faults import FAULTS

pytestmark = pytest.mark.slow

EVERY = [list(group) for _, group in itertools.groupby(trials(), key=lambda trial: trial.fault)]
SAMPLE = [trial for k, group in enumerate(EVERY) for trial in group[k % min(11, len(group)) :: 11]]
"""Of each mistake every eleventh trial, another one each time; `make checker-table` runs them all."""


@pytest.mark.parametrize("trial", SAMPLE, ids=str)
def test_a_known_mistake_is_named(trial: Trial) -> None:
    report = trial.report()
    assert report.verdict == "wrong"
    assert [blame.quantity for blame in report.blame] == [trial.fault.quantity(trial.layer)], report.summary
    (blame,) = report.blame
    assert blame.cause == trial.fault.cause
    assert blame.certainty in ("exact", "ambiguous")
    assert blame.residual is not None
    assert blame.residual < 1e-10
    statuses = {row.quantity: row.status for row in report.rows}
    assert all(status != "wrong" for quantity, status in statuses.items() if quantity != blame.quantity)


def test_the_sample_has_every_mistake() -> None:
    assert {trial.fault.cause for trial in SAMPLE} == {fault.cause for fault in FAULTS}


@pytest.mark.parametrize("cause", MISTAKES, ids=lambda cause: cause.__name__)
def test_a_cause_says_what_it_is(cause: type[Mistake]) -> None:
    for text in ("slug", "said", "wrong", "why", "unseen"):
        value = getattr(cause, text)
        assert isinstance(value, str)
        assert value
        assert not value.endswith(" ")
    assert cause.why.endswith(".")
    assert not cause.said.endswith(".")
    assert inspect.getdoc(cause)
