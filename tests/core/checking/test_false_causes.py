"""Faults that are on no list but look like known mistakes: none of them is named with certainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.checking import Checker, Report, SubmissionSpec, Tolerance
from core.layers import KINDS
from core.losses import LOSSES
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

Change = Callable[[Array], Array]
SLOPES: dict[str, Change] = {"the derivative and 1, halved": lambda H: 0.5 * (1 - H**2 + 1)}
GRADIENTS: dict[str, Change] = {
    "the sign": np.sign,
    "plus a constant": lambda dV: dV + 0.01,
    "one number clipped": lambda dV: np.minimum(dV, np.sort(dV, axis=None)[-2] / 2 + dV.max() / 2),
    "clipped": lambda dV: np.clip(dV, -np.abs(dV).max() / 3, np.abs(dV).max() / 3),
}


def checked(slope: Change, change: Change, *, deltas_sent: bool) -> Report:
    """Two dense layers with tanh between them and half the squared error, written by hand."""
    generator = np.random.default_rng(11)
    X, Y = generator.standard_normal((7, 3)), generator.standard_normal((7, 2))
    dense: Any = KINDS["dense"]
    loss: Any = LOSSES["half_squared_error"]
    problem = validate(
        ProblemSpec(
            layers=[dense(units=5, activation="tanh"), dense(units=2)],
            inputs={"input": X},
            targets=Y,
            loss=loss(),
            seed=3,
        )
    )
    hidden, out = (node.name for node in problem.nodes)
    (W, b), (V, c) = ((one["weight"], one["bias"]) for one in (problem.parameters[hidden], problem.parameters[out]))
    H = np.tanh(X @ W + b)
    error = H @ V + c - Y
    E = error / len(X)
    D = E @ V.T * slope(H)
    sent = SubmissionSpec(
        loss=float(0.5 * (error**2).sum() / len(X)),
        deltas={hidden: D, out: E} if deltas_sent else {},
        gradients={
            hidden: {"weight": X.T @ D, "bias": D.sum(0)},
            out: {"weight": change(H.T @ E), "bias": E.sum(0)},
        },
    )
    return Checker(problem, lambda: None).report(sent, set(), Tolerance())


def right_slope(H: Array) -> Array:
    return np.asarray(1 - H**2)


def as_it_is(dV: Array) -> Array:
    return dV


@pytest.mark.parametrize("deltas_sent", [True, False])
def test_the_program_without_a_fault_is_right(deltas_sent: bool) -> None:
    assert checked(right_slope, as_it_is, deltas_sent=deltas_sent).verdict == "correct"


@pytest.mark.parametrize("deltas_sent", [True, False])
@pytest.mark.parametrize("fault", GRADIENTS)
def test_a_function_of_a_gradient_is_no_known_mistake(fault: str, deltas_sent: bool) -> None:
    report = checked(right_slope, GRADIENTS[fault], deltas_sent=deltas_sent)
    assert [blame.cause for blame in report.blame] == ["unknown"], report.summary
    assert report.blame[0].quantity.part == "gradients"


@pytest.mark.parametrize("deltas_sent", [True, False])
@pytest.mark.parametrize("fault", SLOPES)
def test_another_slope_is_no_known_mistake(fault: str, deltas_sent: bool) -> None:
    report = checked(SLOPES[fault], as_it_is, deltas_sent=deltas_sent)
    assert [blame.cause for blame in report.blame] == ["unknown"], report.summary
    assert report.blame[0].quantity.part == "deltas"
