"""The mistakes of convolution, pooling, normalisation, recurrence, embedding and dropout; and programs that are right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from core.checking import SubmissionSpec
from core.checking.quantity import Quantity
from core.problem import Problem
from tests.core.checking.other_programs import convolutional, dropped, embedded, normalised, recurrent
from tests.core.checking.student import examined

pytestmark = pytest.mark.slow

Places = Sequence[tuple[str, ...]]
Program = Callable[[str], tuple[Problem, SubmissionSpec]]
max_pooled: Program = partial(convolutional, pool="max_pool2d")
layer_normalised: Program = partial(normalised, kind="layer_norm")

RIGHT: list[Program] = [convolutional, max_pooled, normalised, layer_normalised, recurrent, embedded, dropped]
RNN: Places = [("gradients", "1", name) for name in ("weight", "recurrent_weight", "bias")]
WRONG: list[tuple[Program, str, Places]] = [
    (convolutional, "mean-without-its-share", [("deltas", "1")]),
    (convolutional, "flatten-order", [("deltas", "2")]),
    (convolutional, "kernel-not-turned", [("input_gradient", "input")]),
    (convolutional, "kernel-gradient-turned", [("gradients", "1", "weight")]),
    (convolutional, "bias-gradient-over-examples-only", [("gradients", "1", "bias")]),
    (convolutional, "bias-gradient-mean-over-positions", [("gradients", "1", "bias")]),
    (max_pooled, "maximum-to-whole-window", [("deltas", "1")]),
    (max_pooled, "maximum-as-mean", [("deltas", "1")]),
    (normalised, "statistics-as-constants", [("deltas", "1")]),
    (normalised, "mean-term-missing", [("deltas", "1")]),
    (normalised, "variance-term-missing", [("deltas", "1")]),
    (normalised, "gamma-left-out", [("deltas", "1")]),
    (layer_normalised, "statistics-as-constants", [("deltas", "1")]),
    (layer_normalised, "mean-term-missing", [("deltas", "1")]),
    (layer_normalised, "variance-term-missing", [("deltas", "1")]),
    (layer_normalised, "gamma-left-out", [("deltas", "1")]),
    (normalised, "gamma-gradient-of-raw-input", [("gradients", "2", "gamma")]),
    (layer_normalised, "gamma-gradient-of-raw-input", [("gradients", "2", "gamma")]),
    (normalised, "unbiased-variance", [("preactivations", "2")]),
    (layer_normalised, "unbiased-variance", [("preactivations", "2")]),
    (recurrent, "time-truncated", RNN),
    (recurrent, "recurrent-weight-not-transposed", RNN),
    (recurrent, "time-derivative-missing", RNN),
    (recurrent, "recurrent-gradient-of-current-state", [("gradients", "1", "recurrent_weight")]),
    (embedded, "repeated-rows-overwritten", [("gradients", "1", "weight")]),
    (dropped, "dropout-mask-forgotten", [("deltas", "1")]),
    (dropped, "dropout-scale-forgotten", [("deltas", "1")]),
]


def name_of(value: Any) -> str:
    if isinstance(value, partial):
        return f"{name_of(value.func)}-{next(iter(value.keywords.values()))}"
    return str(getattr(value, "__name__", value)) if not isinstance(value, list) else "at"


@pytest.mark.parametrize("program", RIGHT, ids=name_of)
def test_a_right_program_is_not_accused(program: Program) -> None:
    problem, submission = program("nothing")
    report = examined(problem, submission)
    assert report.verdict == "correct", report.summary
    assert report.oracle is not None
    assert report.oracle.error < 1e-12


@pytest.mark.parametrize(("program", "cause", "places"), WRONG, ids=name_of)
def test_a_mistake_is_named(program: Program, cause: str, places: Places) -> None:
    problem, submission = program(cause)
    report = examined(problem, submission)
    assert {place for blame in report.blame for place in blame.tensors} == {Quantity(*place) for place in places}, (
        report.summary
    )
    assert {blame.cause for blame in report.blame} == {cause}


@pytest.mark.parametrize(("program", "cause", "places"), WRONG, ids=name_of)
def test_and_without_its_deltas(program: Program, cause: str, places: Places) -> None:
    problem, submission = program(cause)
    without = replace(submission, deltas={})
    report = examined(problem, without)
    assert report.verdict == "wrong"
    assert {blame.cause for blame in report.blame} == {cause}, report.summary
    assert {place for blame in report.blame for place in blame.tensors} == {Quantity(*place) for place in places}
