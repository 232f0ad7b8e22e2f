"""Every mistake inside rnn, lstm and gru, replayed against a hand-written program with that mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.comparison import Comparator
from core.checking.interpretation import Right
from core.checking.mistakes.base import both
from core.checking.mistakes.recurrence import RECURRENCE
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.time import AnyBackward
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.replay import findings, made_by
from tests.core.checking.mistakes.through_time import Array, LstmProgram, Program, program

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("rnn", {}),
    "lstm": ("lstm", {}),
    "gru": ("gru", {}),
    "gru-reset-before": ("gru", {"reset_after": False}),
}
"""The layers by name: kind and fields."""

ALSO = {"mean-over-time": {"divided-by-time-steps"}}
"""Mistakes that the same numbers also show: the mean over T time steps is 1/T of the sum."""


def found_by(made: Program, wrong: str) -> list[str]:
    """The slugs of the mistakes that reproduce all gradients of the layer."""
    right = Right(made.problem())
    submitted = made.solve(wrong)
    yours = {Quantity("gradients", "r", name): submitted[name] for name in made.P}
    comparator = Comparator(right.network, criterion_for(set(), yours, None, None), right.trace, right.values)
    assert any(not comparator.is_right(q, array) for q, array in yours.items()), "the mistake does not show"
    struck = next(q for q, array in yours.items() if not comparator.is_right(q, array))
    return sorted({one.slug for one in findings(comparator, right.trace, struck, yours, {q: q.by_rule for q in yours})})


def possible(name: str, *, sequences: bool) -> list[str]:
    kind, fields = LAYERS[name]
    layer = program(kind, 0, sequences, **fields).problem().nodes[0].layer
    return sorted(
        {
            mistake.slug
            for mistake in RECURRENCE
            if issubclass(mistake, ThroughTime) and kind in mistake.kinds and mistake().is_possible(layer, 4)
        }
        - {"initial-state-left-out"}
    )


CASES = [
    (name, sequences, slug)
    for name in LAYERS
    for sequences in (False, True)
    for slug in possible(name, sequences=sequences)
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sequences", "slug"), CASES)
def test_a_mistake_alone_is_found(name: str, sequences: bool, slug: str) -> None:
    kind, fields = LAYERS[name]
    seed = 1 + len(slug) % 5
    found = found_by(program(kind, seed, sequences, **fields), slug)
    assert set(found) == {slug, *ALSO.get(slug, ())}


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_the_backward_pass_written_out_is_that_of_the_layer(name: str, sequences: bool) -> None:
    kind, fields = LAYERS[name]
    made = program(kind, 3, sequences, **fields)
    trace = Right(made.problem()).trace
    own, written = trace.backward("r"), AnyBackward().backward(trace, "r")
    assert written is not None
    np.testing.assert_allclose(written.inputs[0], own.inputs[0], rtol=1e-12, atol=1e-14)
    assert written.parameters.keys() == own.parameters.keys()
    for parameter, gradient in own.parameters.items():
        np.testing.assert_allclose(written.parameters[parameter], gradient, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(made.solve()[parameter], gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "slug"),
    [("lstm", "forget-gate-derivative-incomplete"), ("gru", "direct-path-missing"), ("rnn", "time-truncated")],
)
def test_the_gradient_of_the_input_is_wrong_with_them(kind: str, slug: str) -> None:
    made = program(kind, 2, sequences=True)
    trace = Right(made.problem()).trace
    (mistake,) = [each for each in RECURRENCE if each.slug == slug]
    found = Quantity("input_gradient", "input").by_rule(mistake(), trace)
    np.testing.assert_allclose(found, made.solve(slug)["input"], rtol=1e-10)


def test_two_mistakes_in_one_layer_combine() -> None:
    """f instead of f (1 − f) in every step, and each step on its own: each alone changes other terms."""
    slugs = ("forget-gate-derivative-incomplete", "time-truncated")
    first, second = (next(each for each in RECURRENCE if each.slug == slug) for slug in slugs)

    class Both(LstmProgram):
        def step(self, t: int, dh: Array, wrong: str) -> tuple[Array, Array]:
            dh, self.later_cell = dh - self.later, np.zeros_like(dh)
            return super().step(t, dh, slugs[0])

    made = Both("lstm", 4, sequences=True)
    trace, submitted = Right(made.problem()).trace, made.solve()
    for pair in (both(first, second), both(second, first)):
        for parameter in made.P:
            quantity = Quantity("gradients", "r", parameter)
            np.testing.assert_allclose(made_by(quantity.by_rule, pair, trace), submitted[parameter], rtol=1e-10)


def test_what_the_layer_saves_is_computed_once_and_not_for_other_numbers() -> None:
    trace = Right(program("lstm", 0, sequences=False).problem()).trace
    saved = trace.saved("r")
    assert trace.with_delta("r", 2 * trace.deltas["r"]).saved("r") is saved
    other = trace.branch()
    other.activations["input"] = trace.activations["input"] + 1
    assert not np.allclose(other.saved("r")["H"], saved["H"])
