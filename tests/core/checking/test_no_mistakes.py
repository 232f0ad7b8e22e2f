"""What is written differently and right all the same is never an accusation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checking import SubmissionSpec
from core.checking.equivalences import EQUIVALENCES
from core.layers import KINDS
from core.losses import LOSSES
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.checking.student import PARTS, Array, Exercise, Student, examined

SQUARE = Exercise((3, 3, 3), ("tanh", "sigmoid"), examples=3)
CLASSES = Exercise((2, 4, 3), ("sigmoid", "softmax"), examples=7, loss="cross_entropy")
ERROR = Exercise((3, 4, 2), ("tanh", "sigmoid"), examples=5)
RECTIFIED = Exercise((2, 3, 2), ("relu", "sigmoid"), examples=4)


def assert_equivalent(report: Any, *slugs: str) -> None:
    assert report.verdict == "equivalent-layout", report.summary
    assert not report.blame
    assert [each.slug for each in report.equivalences] == list(slugs)
    assert all(row.status in ("correct", "missing") for row in report.rows)
    assert report.equivalences[0].said in report.summary


@pytest.mark.parametrize("exercise", [SQUARE, ERROR], ids=["square", "oblong"])
@pytest.mark.parametrize("convention", ["row", "column", "torch"])
@pytest.mark.parametrize("other", ["row", "column", "torch"])
def test_another_convention(exercise: Exercise, convention: Any, other: Any) -> None:
    """Gradients tell row from torch, deltas tell both from column; square ones show it in no shape."""
    solution = Student().solve(exercise)
    report = examined(exercise.problem(convention), solution.submission(*PARTS, convention=other))
    if convention == other:
        assert report.verdict == "correct"
    else:
        assert_equivalent(report, "transposed-layout")


def test_a_submission_may_name_its_convention() -> None:
    sent = replace(Student().solve(SQUARE).submission(*PARTS, convention="column"), convention="column")
    assert examined(SQUARE.problem(), sent).verdict == "correct"


def test_one_transposed_gradient_among_others_is_a_mistake() -> None:
    solution = Student().solve(SQUARE)
    solution.dW[1] = solution.dW[1].T
    report = examined(SQUARE.problem(), solution.submission(*PARTS))
    assert [blame.cause for blame in report.blame] == ["outer-product-transposed"]


class Multiple(Student):
    """The loss and everything that follows from it times a constant."""

    def __init__(self, factor: float, loss: float | None = None) -> None:
        self.factor, self.of_loss = factor, factor if loss is None else loss

    def loss(self, e: Exercise, A: Array) -> float:
        return self.of_loss * super().loss(e, A)

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return self.factor * super().output_delta(e, Z, A)


@pytest.mark.parametrize("parts", [PARTS, ("gradients",), ("gradients", "deltas")])
@pytest.mark.parametrize(
    ("factor", "slugs"),
    [
        (5, ["sum-or-mean"]),
        (2, ["half-or-not"]),
        (0.5, ["half-or-not"]),
        (10, ["sum-or-mean", "half-or-not"]),
    ],
)
def test_another_reduction(parts: tuple[str, ...], factor: float, slugs: list[str]) -> None:
    exercise = replace(ERROR, widths=(3, 4, 3))
    report = examined(exercise.problem(), Multiple(factor).solve(exercise).submission(*parts))
    assert_equivalent(report, *slugs)


def test_a_mean_over_the_outputs() -> None:
    exercise = replace(ERROR, widths=(3, 4, 3))
    report = examined(exercise.problem(), Multiple(1 / 3).solve(exercise).submission("loss", "gradients"))
    assert_equivalent(report, "mean-over-outputs")


def test_the_loss_that_is_right_makes_it_a_mistake() -> None:
    report = examined(ERROR.problem(), Multiple(5, loss=1).solve(ERROR).submission("loss", "gradients"))
    assert report.verdict == "wrong"
    assert [blame.cause for blame in report.blame] == ["multiplied-by-batch-size"]


@pytest.mark.parametrize("parts", [PARTS, ("gradients", "deltas")])
def test_deltas_without_the_mean(parts: tuple[str, ...]) -> None:
    """dZ = A − Y, dW = 1/m dZ Aᵀ, as in the Coursera notes."""
    solution = Student().solve(CLASSES)
    solution.D = [7 * D for D in solution.D]
    assert_equivalent(examined(CLASSES.problem(), solution.submission(*parts)), "deltas-without-mean")


def test_labels_from_one() -> None:
    """The program counts from 1 what the request counts from 0: every target is one class too high."""
    program = replace(CLASSES)
    program.Y = np.eye(3)[[0, 1, 1, 0, 1, 0, 0]]
    sent = replace(CLASSES)
    sent.Y = np.roll(program.Y, 1, axis=1)
    report = examined(sent.problem(), Student().solve(program).submission(*PARTS))
    assert_equivalent(report, "labels-from-another-number")


@pytest.mark.parametrize("factor", [2, 1 / 5])
def test_another_strength_of_the_penalty(factor: float) -> None:
    exercise, program = replace(ERROR, l2=0.3), replace(ERROR, l2=0.3 * factor)
    report = examined(exercise.problem(), Student().solve(program).submission(*PARTS))
    assert_equivalent(report, "penalty-strength")


class SlopeAtZero(Student):
    """relu'(0) as somebody else may have it."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def derivative(self, function: str, Z: Array, A: Array) -> Array:
        right = super().derivative(function, Z, A)
        return np.where(Z == 0, self.slope, right) if function == "relu" else right


@pytest.mark.parametrize("slope", [1.0, 0.5])
@pytest.mark.parametrize("parts", [PARTS, ("gradients",)])
def test_the_slope_of_relu_at_its_kink(slope: float, parts: tuple[str, ...]) -> None:
    exercise = replace(RECTIFIED)
    exercise.X[0] = 0
    exercise.b[0] = np.zeros(3)
    report = examined(exercise.problem(), SlopeAtZero(slope).solve(exercise).submission(*parts))
    assert_equivalent(report, "slope-at-kink")
    assert {(kink.layer, kink.index) for kink in report.kinks} == {("1", (0, unit)) for unit in range(3)}
    assert all(kink.distance == 0 for kink in report.kinks)


def test_a_mistake_and_an_equivalence_at_once() -> None:
    solution = Multiple(5).solve(ERROR)
    solution.db[0] = -solution.db[0]
    report = examined(ERROR.problem(), solution.submission(*PARTS))
    assert report.verdict == "wrong"
    assert [(blame.quantity.layer, blame.cause) for blame in report.blame] == [("1", "sign-flipped")]
    assert [each.slug for each in report.equivalences] == ["sum-or-mean"]
    assert "Not a mistake:" in report.summary


def test_true_convolution_where_cross_correlation_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    conv, flatten, dense = (KINDS[kind] for kind in ("conv2d", "flatten", "dense"))
    K, W = rng.standard_normal((2, 1, 3, 3)), rng.standard_normal((18, 2))
    X, Y = rng.standard_normal((3, 1, 5, 5)), rng.standard_normal((3, 2))

    def problem(mode: str) -> Any:
        layers: Any = [
            conv(filters=2, kernel_size=3, mode=mode),  # type: ignore[call-arg]
            flatten(),  # type: ignore[call-arg]
            dense(units=2),  # type: ignore[call-arg]
        ]
        return validate(
            ProblemSpec(
                layers=layers,
                inputs={"input": X},
                parameters={"1": {"weight": K, "bias": np.ones(2)}, "3": {"weight": W, "bias": np.zeros(2)}},
                targets=Y,
                loss=LOSSES["half_squared_error"](),  # type: ignore[call-arg]
                convention="row",
            )
        )

    plan = problem("convolution").plan()
    plan.forward()
    plan.backward()
    gradients = {
        name: {each: np.array(a) for each, a in named.items()} for name, named in plan.gradients.gradients.items()
    }
    report = examined(problem("cross_correlation"), SubmissionSpec(gradients=gradients))
    assert_equivalent(report, "convolution-or-correlation")


def test_every_equivalence_has_a_name_of_its_own() -> None:
    assert len({each.slug for each in EQUIVALENCES}) == len(EQUIVALENCES)
