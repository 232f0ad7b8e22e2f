"""Finite differences that were submitted for a gradient are recognised; a wrong gradient is not taken for one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checking import SubmissionSpec
from tests.core.checking.student import Array, Exercise, Student, examined

pytestmark = pytest.mark.slow

EXERCISE = Exercise((3, 4, 2), ("tanh", "sigmoid"), examples=5)


def differences(e: Exercise, step: float, sides: int, dtype: Any = np.float64) -> SubmissionSpec:
    """A numerical gradient as students write it."""
    program = Student()
    W, b = ([array.astype(dtype) for array in arrays] for arrays in (e.W, e.b))

    def loss() -> Any:
        A: Any = e.X.astype(dtype)
        for k, function in enumerate(e.functions):
            A = program.forward(program.preactivation(A, W[k], b[k]), function).astype(dtype)
        return (dtype(0.5) * np.sum((A - e.Y.astype(dtype)) ** 2, dtype=dtype) / dtype(e.examples)).astype(dtype)

    def gradient(array: Array) -> Array:
        found = np.empty_like(array)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + dtype(step)
            ahead = loss()
            array[index] = kept - dtype(step) if sides == 2 else kept
            found[index] = (ahead - loss()) / dtype(sides * step)
            array[index] = kept
        return found

    return SubmissionSpec(
        gradients={str(k + 1): {"weight": gradient(W[k]), "bias": gradient(b[k])} for k in range(len(W))}
    )


@pytest.mark.parametrize(
    ("step", "sides", "dtype", "slug"),
    [
        (1e-1, 2, np.float64, "difference-step-too-large"),
        (1e-2, 2, np.float64, "difference-step-too-large"),
        (1e-3, 2, np.float64, "difference-step-too-large"),
        (1e-2, 1, np.float64, "one-sided-difference"),
        (1e-4, 1, np.float64, "one-sided-difference"),
        (1e-6, 1, np.float64, "one-sided-difference"),
        (1e-10, 2, np.float64, "difference-step-too-small"),
        (1e-12, 1, np.float64, "difference-step-too-small"),
        (1e-13, 2, np.float64, "difference-step-too-small"),
        (1e-4, 2, np.float32, "difference-in-float32"),
        (1e-5, 1, np.float32, "difference-in-float32"),
    ],
)
def test_a_numerical_gradient_is_recognised(step: float, sides: int, dtype: Any, slug: str) -> None:
    sent = differences(EXERCISE, step, sides, dtype)
    report = examined(EXERCISE.problem(), sent, np.dtype(dtype).name)
    assert [each.slug for each in report.equivalences] == [slug]
    assert report.verdict == "inconclusive"
    assert not report.blame
    assert f"step {step:.3g}" in report.summary or f"step 1e-{-round(np.log10(step))}" in report.summary
    assert ("one-sided" if sides == 1 else "central") in report.summary


def drifting(e: Exercise, step: float, left: int, *, divided_by: int = 2, biases_last: bool = False) -> SubmissionSpec:
    """Central differences by a program that leaves every number moved by `left` steps."""
    program = Student()
    W, b = ([array.copy() for array in arrays] for arrays in (e.W, e.b))
    found: dict[str, dict[str, Array]] = {str(k + 1): {} for k in range(len(W))}
    order = [(k, name) for k in range(len(W)) for name in ("weight", "bias")]
    for k, name in sorted(order, key=lambda each: each[1] == "bias") if biases_last else order:
        array = (W if name == "weight" else b)[k]
        gradient = found[str(k + 1)][name] = np.empty_like(array)
        for index in np.ndindex(array.shape):
            kept = array[index]
            losses = []
            for side in (1, -1):
                array[index] = kept + side * step
                A = e.X
                for layer, function in enumerate(e.functions):
                    A = program.forward(program.preactivation(A, W[layer], b[layer]), function)
                losses.append(0.5 * np.sum((A - e.Y) ** 2) / e.examples)
            gradient[index] = (losses[0] - losses[1]) / (divided_by * step)
            array[index] = kept + left * step
    return SubmissionSpec(gradients=found)


@pytest.mark.parametrize("biases_last", [False, True])
@pytest.mark.parametrize(("step", "left"), [(1e-3, -1), (1e-4, -1), (4e-4, 1), (1e-2, 1)])
def test_a_point_that_drifts_is_recognised(step: float, left: int, biases_last: bool) -> None:
    report = examined(EXERCISE.problem(), drifting(EXERCISE, step, left, biases_last=biases_last))
    assert (report.verdict, report.blame) == ("inconclusive", [])
    assert [each.slug for each in report.equivalences] == ["difference-at-a-moving-point"]
    assert f"stays moved by {left * step:.3g}" in report.summary


@pytest.mark.parametrize("step", [1e-2, 1e-4])
def test_a_division_by_h_is_named_with_its_factor(step: float) -> None:
    report = examined(EXERCISE.problem(), drifting(EXERCISE, step, 0, divided_by=1))
    assert (report.verdict, report.blame) == ("inconclusive", [])
    assert [each.slug for each in report.equivalences] == ["difference-divided-wrongly"]
    assert "twice as large" in report.summary


def test_twice_the_gradient_is_not_taken_for_a_difference() -> None:
    solution = Student().solve(EXERCISE)
    solution.dW, solution.db = [2 * dW for dW in solution.dW], [2 * db for db in solution.db]
    report = examined(EXERCISE.problem(), solution.submission("gradients"))
    assert not [each for each in report.equivalences if each.slug.startswith("difference")]


@pytest.mark.parametrize("step", [1e-1, 5e-2])
@pytest.mark.parametrize("sides", [1, 2])
def test_differences_across_kinks_are_recognised(step: float, sides: int) -> None:
    exercise = Exercise((4, 6, 5, 3), ("relu", "relu", "identity"), examples=7, seed=4)
    report = examined(exercise.problem(), differences(exercise, step, sides))
    assert (report.verdict, report.blame) == ("inconclusive", [])
    assert f"step {step:.3g}" in report.summary


@pytest.mark.parametrize("step", [7e-4, 3.3e-3, 1.3e-5])
def test_float32_is_recognised_with_any_step(step: float) -> None:
    report = examined(EXERCISE.problem(), differences(EXERCISE, step, 2, np.float32), "float32")
    assert (report.verdict, report.blame) == ("inconclusive", [])
    assert "differences" in report.summary


def test_a_slope_at_a_kink_is_not_taken_for_a_one_sided_difference() -> None:
    """With slope 1 at 0 the numbers are the limit of forward differences, but no step shows in them."""

    class SlopeOne(Student):
        def derivative(self, function: str, Z: Array, A: Array) -> Array:
            return (Z >= 0).astype(float)

    exercise = Exercise((3, 4, 4, 2), ("relu", "relu", "relu"), examples=5)
    exercise.X, exercise.W = np.rint(exercise.X), [np.rint(W) for W in exercise.W]
    exercise.b = [np.zeros_like(b) for b in exercise.b]
    report = examined(exercise.problem(), SlopeOne().solve(exercise).submission("gradients"))
    assert not [each for each in report.equivalences if each.slug.startswith("difference") or "one-sided" in each.slug]


def test_a_good_numerical_gradient_is_correct_within_a_tolerance_for_it() -> None:
    sent = differences(EXERCISE, 1e-5, 2)
    assert examined(EXERCISE.problem(), sent, rtol=1e-5, atol=1e-9).verdict == "correct"


@pytest.mark.parametrize(
    "change",
    [
        lambda g: 1.01 * g,
        lambda g: g + 1e-3,
        lambda g: g + 1e-4 * np.sin(1e4 * g),
        lambda g: np.sign(g) / 3,
        lambda g: np.rint(377.7 * g) / 377.7,
    ],
)
def test_a_wrong_gradient_is_not_taken_for_a_difference(change: Any) -> None:
    exercise = replace(EXERCISE)
    solution = Student().solve(exercise)
    solution.dW = [change(dW) for dW in solution.dW]
    report = examined(exercise.problem(), solution.submission("gradients"))
    assert report.verdict == "wrong"
    assert not report.equivalences
