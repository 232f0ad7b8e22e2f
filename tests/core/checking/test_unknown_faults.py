"""What is on no list is still located; two mistakes are two findings."""

from __future__ import annotations

import pytest

from core.checking.quantity import Quantity
from tests.core.checking.faults import Fault
from tests.core.checking.student import PARTS, Exercise, Student, examined
from tests.core.checking.unknown import Pair, pairs, pairs_in_one_rule, unknown_trials

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("fault", "exercise", "layer"), list(unknown_trials(40)))
def test_an_unknown_fault_is_located_and_not_explained(fault: Fault, exercise: Exercise, layer: int) -> None:
    report = examined(exercise.problem(), fault.program(layer).solve(exercise).submission(*PARTS))
    assert [blame.quantity for blame in report.blame] == [fault.quantity(layer)], report.summary
    assert report.blame[0].cause == "unknown"
    assert report.blame[0].certainty == "located"


@pytest.mark.parametrize("pair", list(pairs(25)), ids=lambda pair: "-".join(fault.cause for fault in pair.faults))
def test_two_mistakes_in_two_rules(pair: Pair) -> None:
    report = examined(pair.exercise.problem(), pair.program().solve(pair.exercise).submission(*PARTS))
    assert {(blame.quantity, blame.cause) for blame in report.blame} == pair.expected(), report.summary


@pytest.mark.parametrize(("causes", "program", "exercise", "layer"), list(pairs_in_one_rule()))
@pytest.mark.parametrize("parts", [PARTS, ("loss", "gradients")], ids=["deltas", "gradients"])
def test_two_mistakes_in_one_rule(
    causes: str, program: Student, exercise: Exercise, layer: int, parts: tuple[str, ...]
) -> None:
    report = examined(exercise.problem(), program.solve(exercise).submission(*parts))
    (blame,) = report.blame
    assert blame.quantity == Quantity("deltas", str(layer + 1))
    assert blame.cause == causes
