"""A check that runs out of time answers with what it has located so far, and never with a refusal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.checking import Checker, Tolerance
from core.checking.quantity import Quantity
from core.errors import Refusal
from tests.core.checking.student import PARTS, Array, Exercise, Student

EXERCISE = Exercise((3, 5, 4, 2), ("tanh", "sigmoid", "sigmoid"), examples=7)


class Nonsense(Student):
    """A hidden delta that is a function of every number of the right one."""

    def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
        found = super().hidden_delta(e, k, D, Z, A)
        return np.asarray(np.sin(3 * found) + 0.1) if k == 1 else found


def checker(looks: int) -> Checker:
    """A checker whose time is over at the given look at the clock."""
    count = itertools.count()

    def check_deadline() -> None:
        if next(count) >= looks:
            raise Refusal.of("timeout", "The computation was stopped.")

    return Checker(EXERCISE.problem(), check_deadline)


@pytest.mark.parametrize("looks", [0, 1, 2, 5])
def test_the_place_is_found_without_time(looks: int) -> None:
    submission = Nonsense().solve(EXERCISE).submission(*PARTS)
    report = checker(looks).report(submission, set(), Tolerance())
    assert report.partial
    assert report.verdict == "wrong"
    assert [blame.quantity for blame in report.blame] == [Quantity("deltas", "2")]
    assert "ended before" in report.summary


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_a_right_submission_is_right_without_time(looks: int) -> None:
    report = checker(looks).report(Student().solve(EXERCISE).submission(*PARTS), set(), Tolerance())
    assert report.verdict == "correct"
    assert not report.blame


def test_with_time_nothing_is_partial() -> None:
    submission = Nonsense().solve(EXERCISE).submission(*PARTS)
    report = Checker(EXERCISE.problem(), lambda: None).report(submission, set(), Tolerance())
    assert not report.partial
