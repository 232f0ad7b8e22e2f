"""What is compared, how, and who is accused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from core.checking import SubmissionSpec
from core.checking.quantity import Quantity
from core.errors import Refusal
from tests.core.checking.student import PARTS, Array, Exercise, Student, examined
from tests.core.sample import CONVENTIONS

NETWORKS = [
    Exercise((3, 4, 2), ("tanh", "sigmoid")),
    Exercise((2, 5, 4, 3), ("relu", "tanh", "softmax"), loss="cross_entropy", l2=0.1),
    Exercise((3, 3, 1), ("sigmoid", "sigmoid"), loss="binary_cross_entropy", reduction="sum"),
]
everywhere = pytest.mark.parametrize("convention", CONVENTIONS)
every_network = pytest.mark.parametrize("exercise", NETWORKS, ids=lambda exercise: exercise.loss)


@everywhere
@every_network
def test_a_right_program_is_right_whatever_part_of_it_is_sent(exercise: Exercise, convention: Any) -> None:
    solution, problem = Student().solve(exercise), exercise.problem(convention)
    for count in (1, 2, len(PARTS)):
        for parts in itertools.combinations(PARTS, count):
            report = examined(problem, solution.submission(*parts, convention=convention))
            assert report.verdict == "correct", report.summary
            assert not report.blame
            assert report.oracle is not None
            assert report.oracle.error < 1e-13
            statuses = {row.quantity.part: row.status for row in report.rows}
            assert all(statuses[part] == "correct" for part in parts)
            assert all(statuses[part] == "missing" for part in PARTS if part not in parts)


@every_network
def test_without_a_submission_the_server_checks_itself(exercise: Exercise) -> None:
    report = examined(exercise.problem(), None)
    assert report.verdict == "correct"
    assert all(row.status == "correct" for row in report.rows)


class Wrong(Student):
    """One number of one delta is wrong; everything below follows from it."""

    def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
        found = super().hidden_delta(e, k, D, Z, A)
        if k == 1:
            found[1, 2] += 0.25
        return found


def test_what_follows_from_a_wrong_delta_is_inherited() -> None:
    exercise = NETWORKS[1]
    report = examined(exercise.problem(), Wrong().solve(exercise).submission(*PARTS))
    assert [blame.quantity for blame in report.blame] == [Quantity("deltas", "2")]
    assert report.blame[0].cause == "unknown"
    assert report.blame[0].certainty == "located"
    statuses = {row.quantity: row.status for row in report.rows}
    for quantity, status in statuses.items():
        below = quantity.layer in ("1", "2", "input") and quantity.part in ("deltas", "gradients", "input_gradient")
        assert status == ("wrong" if quantity == Quantity("deltas", "2") else "inherited" if below else "correct")
    row = next(row for row in report.rows if row.quantity == Quantity("deltas", "2"))
    assert row.difference is not None
    assert row.difference.worst == (1, 2)
    assert row.difference.mismatched == 1


def test_a_delta_is_recovered_from_the_gradients_of_its_layer() -> None:
    """Three examples, four inputs and a bias: five equations for three unknowns in every column."""
    exercise = Exercise((4, 5, 4, 2), ("tanh", "sigmoid", "sigmoid"), examples=3)
    report = examined(exercise.problem(), Wrong().solve(exercise).submission("gradients"))
    assert [blame.quantity for blame in report.blame] == [Quantity("deltas", "2")]
    assert report.blame[0].certainty == "located"
    assert report.needs == ["deltas", "activations"]


def test_gradients_that_belong_to_no_delta_are_wrong_by_themselves() -> None:
    exercise = Exercise((4, 5, 2), ("tanh", "sigmoid"), examples=3)
    solution = Student().solve(exercise)
    solution.dW[0][2, 1] += 0.1
    report = examined(exercise.problem(), solution.submission("gradients"))
    assert [blame.quantity for blame in report.blame] == [Quantity("gradients", "1", "weight")]


def test_two_wrong_rules_are_two_accusations() -> None:
    exercise = NETWORKS[0]
    solution = Wrong().solve(exercise)
    solution.dW[1][0, 0] += 1
    solution.db[0] = solution.db[0] * 5
    report = examined(exercise.problem(), solution.submission(*PARTS))
    assert {blame.quantity for blame in report.blame} == {
        Quantity("gradients", "2", "weight"),
        Quantity("gradients", "1", "bias"),
    }


def test_a_tensor_of_another_shape_is_wrong_and_not_refused() -> None:
    exercise = NETWORKS[0]
    solution = Student().solve(exercise)
    solution.db[1] = solution.D[1]
    report = examined(exercise.problem(), solution.submission("gradients", "deltas"))
    assert [blame.quantity for blame in report.blame] == [Quantity("gradients", "2", "bias")]
    row = next(row for row in report.rows if row.quantity == Quantity("gradients", "2", "bias"))
    assert row.shapes == ((5, 2), (2,))


def test_a_bias_gradient_may_keep_the_axis_that_was_summed() -> None:
    exercise = NETWORKS[0]
    solution = Student().solve(exercise)
    solution.db = [db[np.newaxis] for db in solution.db]
    report = examined(exercise.problem(), solution.submission("gradients"))
    assert report.verdict == "correct"


@pytest.mark.parametrize(
    ("submission", "path"),
    [
        (SubmissionSpec(deltas={"3": np.zeros((5, 4))}), ("submission", "deltas", "3")),
        (SubmissionSpec(gradients={"out": {}}), ("submission", "gradients", "out")),
        (SubmissionSpec(gradients={"1": {"W": np.zeros(1)}}), ("submission", "gradients", "1", "W")),
        (SubmissionSpec(input_gradient={"x": np.zeros(1)}), ("submission", "input_gradient", "x")),
    ],
)
def test_a_name_that_does_not_exist_is_refused(submission: SubmissionSpec, path: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        examined(NETWORKS[0].problem(), submission)
    assert [issue.path for issue in caught.value.issues] == [path]
    assert caught.value.issues[0].code == "unknown-name"


def test_nothing_submitted_is_inconclusive() -> None:
    report = examined(NETWORKS[0].problem(), SubmissionSpec())
    assert report.verdict == "inconclusive"
    assert "deltas" in report.needs
