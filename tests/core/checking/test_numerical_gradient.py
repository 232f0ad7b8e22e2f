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


def test_a_good_numerical_gradient_is_correct_within_a_tolerance_for_it() -> None:
    sent = differences(EXERCISE, 1e-5, 2)
    assert examined(EXERCISE.problem(), sent, rtol=1e-5, atol=1e-9).verdict == "correct"


@pytest.mark.parametrize("change", [lambda g: 1.01 * g, lambda g: g + 1e-3, lambda g: g + 1e-4 * np.sin(1e4 * g)])
def test_a_wrong_gradient_is_not_taken_for_a_difference(change: Any) -> None:
    exercise = replace(EXERCISE)
    solution = Student().solve(exercise)
    solution.dW = [change(dW) for dW in solution.dW]
    report = examined(exercise.problem(), solution.submission("gradients"))
    assert report.verdict == "wrong"
    assert not report.equivalences
