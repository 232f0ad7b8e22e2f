"""Correct programs are never accused, whatever precision they compute in and however many digits they send."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from core.checking.digits import Digits, digits_of
from tests.core.checking.student import PARTS, Exercise, Solution, Student, examined

pytestmark = pytest.mark.slow

FUNCTIONS = ("sigmoid", "tanh", "relu", "identity")


def exercise_of(seed: int) -> Exercise:
    """A random network; some have saturated units, some a mean that cancels."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 4))
    widths = [int(width) for width in rng.integers(1, 6, depth + 1)]
    functions = [str(name) for name in rng.choice(FUNCTIONS, depth)]
    loss = str(rng.choice(["half_squared_error", "cross_entropy", "binary_cross_entropy"]))
    if loss == "cross_entropy":
        functions[-1] = "softmax"
    elif loss == "binary_cross_entropy":
        functions[-1] = "sigmoid"
    return Exercise(
        widths,
        functions,
        examples=int(rng.integers(1, 8)),
        loss=loss,
        reduction=str(rng.choice(["mean", "sum"])),
        l2=float(rng.choice([0, 0.1])),
        seed=seed,
        scale=float(rng.choice([0.5, 1, 3])),
    )


def mapped(solution: Solution, change: Any) -> Solution:
    """A solution with every array changed."""
    found: dict[str, Any] = {}
    for each in dataclasses.fields(solution):
        value = getattr(solution, each.name)
        found[each.name] = [change(array) for array in value] if isinstance(value, list) else change(np.asarray(value))
    return Solution(**{**found, "loss": float(found["loss"])})


def in_float32(exercise: Exercise) -> Exercise:
    """The same computed in float32 from the first product on."""
    copy: Any = dataclasses.replace(exercise)
    copy.X, copy.Y = (array.astype(np.float32) for array in (exercise.X, exercise.Y))
    copy.W, copy.b = ([array.astype(np.float32) for array in arrays] for arrays in (exercise.W, exercise.b))
    return copy  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(40))
def test_a_correct_program_is_never_accused(seed: int) -> None:
    exercise = exercise_of(seed)
    problem, solution = exercise.problem(), Student().solve(exercise)
    single = Student().solve(in_float32(exercise))
    for name, sent in (
        ("float64", solution),
        ("float32", single),
        ("six digits", mapped(solution, lambda array: np.vectorize(lambda x: float(f"{x:.6g}"))(array))),
        ("six places", mapped(solution, lambda array: np.round(array, 6))),
    ):
        for parts in (PARTS, ("gradients",)):
            report = examined(problem, sent.submission(*parts), *(["float32"] if name == "float32" else []))
            assert report.verdict == "correct", (name, parts, report.summary)


def test_a_mistake_is_seen_through_the_rounding() -> None:
    exercise = exercise_of(3)
    solution = Student().solve(exercise)
    solution.db[-1] = solution.db[-1] * 1.01
    rounded = mapped(solution, lambda array: np.round(array, 6))
    report = examined(exercise.problem(), rounded.submission("gradients", "deltas"))
    assert [(blame.quantity.part, blame.quantity.name) for blame in report.blame] == [("gradients", "bias")]


@pytest.mark.parametrize("digits", [3, 5, 8])
def test_the_digits_that_were_sent_are_counted(digits: int) -> None:
    numbers = np.random.default_rng(0).standard_normal(100) * 1e-3
    assert digits_of([np.round(numbers, digits + 2)]) == Digits(decimals=digits + 2)
    significant = np.array([float(f"{number:.{digits - 1}e}") for number in numbers])
    assert digits_of([significant]) == Digits(significant=digits)
    assert digits_of([numbers]) is None
    assert digits_of([np.zeros(3)]) is None


def test_a_tolerance_of_the_callers_own_replaces_the_one_that_is_worked_out() -> None:
    exercise = exercise_of(3)
    solution = Student().solve(exercise)
    solution.db[-1] = solution.db[-1] * (1 + 1e-4)
    sent = solution.submission("gradients")
    assert examined(exercise.problem(), sent).verdict == "wrong"
    assert examined(exercise.problem(), sent, rtol=1e-3).verdict == "correct"
    assert examined(exercise.problem(), sent, rtol=1e-5).verdict == "wrong"
