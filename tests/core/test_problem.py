"""Checking a problem: everything is reported at once, in the caller's words, and nothing is computed before."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.convention import Convention
from core.errors import Issue, Refusal
from core.layers.dense import Dense
from core.losses.cross_entropy import CrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from core.network import NetworkLimits
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.sample import CONVENTIONS, sample


def issues_of(sent: ProblemSpec, **options: Any) -> list[Issue]:
    """Everything that is wrong with a problem."""
    with pytest.raises(Refusal) as refusal:
        validate(sent, **options)
    return refusal.value.issues


def dense(weight: tuple[int, ...], bias: int = 2) -> dict[str, dict[str, Array]]:
    """Parameters of layer 1."""
    return {"1": {"weight": np.ones(weight), "bias": np.ones(bias)}}


def test_all_issues_are_reported_at_once_with_their_places() -> None:
    sent = ProblemSpec(
        layers=[Dense(units=2, activation="rely"), Dense(units=3, name="out")],
        inputs={"input": np.ones((4, 3))},
        parameters={"1": {"weight": np.ones((5, 5)), "extra": np.ones(1)}, "uot": {}},
        loss=HalfSquaredError(),
        targets=np.ones((4, 7)),
        sample_weight=np.ones(5),
    )
    assert {(issue.code, issue.path) for issue in issues_of(sent)} == {
        ("unknown-name", ("network", "layers", 0, "activation")),
        ("shape-mismatch", ("parameters", "1", "weight")),
        ("missing-parameters", ("parameters", "1", "bias")),
        ("unknown-name", ("parameters", "1", "extra")),
        ("missing-parameters", ("parameters", "out", "weight")),
        ("missing-parameters", ("parameters", "out", "bias")),
        ("unknown-name", ("parameters", "uot")),
        ("shape-mismatch", ("batch", "targets")),
        ("shape-mismatch", ("batch", "sample_weight")),
    }


def test_issues_found_elsewhere_come_first() -> None:
    before = Issue(code="unknown-name", detail="There is no answer 'los'.", path=("include", 0))
    sent = ProblemSpec(layers=[Dense(units=2)], inputs={"input": np.ones((4, 3))}, seed=1)
    assert [issue.path for issue in issues_of(sent, besides=[before])] == [("include", 0), ("loss",)]


@pytest.mark.parametrize("taken", CONVENTIONS)
@pytest.mark.parametrize("written", CONVENTIONS)
def test_the_convention_that_fits_is_named(taken: Convention, written: Convention) -> None:
    shape = (3, 4) if written == "column" else (4, 3)
    sent = sample([Dense(units=5), Dense(units=2)], {"input": shape}, convention=written)
    if taken == written:
        assert validate(sent).warnings == []
        return
    issues = issues_of(replace(sent, convention=taken))
    assert issues
    for issue in issues:
        assert issue.code == "shape-mismatch"
        assert issue.hint and issue.hint.endswith(f'These shapes fit "convention": "{written}".')


def test_a_convention_that_does_not_fit_either_is_not_named() -> None:
    sent = ProblemSpec(
        layers=[Dense(units=2)],
        inputs={"input": np.ones((4, 3))},
        parameters=dense((7, 2)),
        loss=HalfSquaredError(),
        targets=np.ones((4, 2)),
    )
    (issue,) = issues_of(sent)
    assert issue.hint is None


def square(convention: Convention | None, examples: int = 4) -> ProblemSpec:
    """A problem whose weight is square."""
    return ProblemSpec(
        layers=[Dense(units=3)],
        inputs={"input": np.ones((examples, 3))},
        parameters=dense((3, 3), 3),
        loss=HalfSquaredError(),
        targets=np.ones((examples, 3)),
        convention=convention,
    )


def test_square_weights_without_a_convention_are_warned_of() -> None:
    (issue,) = validate(square(None)).warnings
    assert (issue.code, issue.path) == ("ambiguous-convention", ("convention",))
    assert "'row' was taken" in issue.detail and "fit 'torch'," in issue.detail
    (issue,) = validate(square(None, examples=3)).warnings
    assert "fit 'column' and 'torch'," in issue.detail


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_named_convention_is_not_warned_of(convention: Convention) -> None:
    assert validate(square(convention, examples=3)).warnings == []


def test_weights_that_fit_one_convention_are_not_warned_of() -> None:
    assert validate(replace(sample([Dense(units=2)], {"input": (4, 3)}), convention=None)).warnings == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, ("loss",)),
        ({"loss": HalfSquaredError()}, ("batch", "targets")),
        ({"loss": Upstream()}, ("batch", "upstream")),
    ],
)
def test_a_loss_and_its_targets_are_needed(fields: dict[str, Any], path: tuple[str, ...]) -> None:
    sent = ProblemSpec(layers=[Dense(units=2)], inputs={"input": np.ones((4, 3))}, seed=1, **fields)
    (issue,) = issues_of(sent)
    assert (issue.code, issue.path) == ("invalid-request", path)
    assert validate(sent, needs_loss=False).objective is None


def test_a_single_number_is_no_batch() -> None:
    sent = ProblemSpec(layers=[Dense(units=2)], inputs={"input": np.array(1.0)}, seed=1)
    assert {(issue.code, issue.path) for issue in issues_of(sent, needs_loss=False)} == {
        ("shape-mismatch", ("batch", "inputs")),
        ("shape-mismatch", ("network", "layers", 0)),
    }


@pytest.mark.parametrize("targets", [None, np.zeros(4)])
def test_too_large_is_refused_before_memory_is_taken(targets: Array | None) -> None:
    sent = ProblemSpec(
        layers=[Dense(units=10**9)], inputs={"input": np.ones((4, 3))}, seed=1, loss=CrossEntropy(), targets=targets
    )
    tracemalloc.start()
    try:
        issues = issues_of(sent, limits=NetworkLimits(parameters=10**6, activations=10**6), needs_loss=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {issue.code for issue in issues} == {"too-large"}
    assert peak < 2**20


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"inputs": {"input": np.full((4, 3), 1e39)}}, ("batch", "inputs")),
        ({"inputs": {"x": np.full((4, 3), 1e39)}}, ("batch", "inputs", "x")),
        ({"parameters": {"1": {"weight": np.full((3, 2), -1e39), "bias": np.ones(2)}}}, ("parameters", "1", "weight")),
    ],
)
def test_numbers_beyond_float32_are_refused(fields: dict[str, Any], path: tuple[str, ...]) -> None:
    ordinary: dict[str, Any] = {"inputs": {"x": np.ones((4, 3))}, "parameters": dense((3, 2))}
    name = next(iter((ordinary | fields)["inputs"]))
    sent = ProblemSpec(layers=[Dense(units=2, inputs=[name])], **(ordinary | fields))
    assert validate(sent, needs_loss=False).dtype == np.float64
    (issue,) = issues_of(replace(sent, dtype="float32"), needs_loss=False)
    assert (issue.code, issue.path, issue.hint) == ("non-finite", path, 'Send "dtype": "float64".')
    assert "1e+39 is beyond the range of float32" in issue.detail


def test_what_was_sent_is_not_copied() -> None:
    for convention in CONVENTIONS:
        sent = sample([Dense(units=2)], {"input": (4, 3)}, convention=convention)
        problem = validate(sent)
        assert np.shares_memory(problem.inputs["input"], sent.inputs["input"])
        assert np.shares_memory(problem.parameters["1"]["weight"], sent.parameters["1"]["weight"])


def test_parameters_that_are_not_sent_are_drawn_beside_those_that_are() -> None:
    bias = np.array([1.0, 2])
    sent = ProblemSpec(
        layers=[Dense(units=2)], inputs={"input": np.ones((4, 3))}, parameters={"1": {"bias": bias}}, seed=3
    )
    problem = validate(sent, needs_loss=False)
    np.testing.assert_array_equal(problem.parameters["1"]["bias"], bias)
    assert problem.parameters["1"]["weight"].std() > 0
