"""Mistakes in layers that read in both directions, replayed against hand-written programs, one for each direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.comparison import Comparator
from core.checking.interpretation import Right
from core.checking.mistakes.recurrence import RECURRENCE
from core.checking.mistakes.recurrence.time import AnyBackward
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.replay import findings
from core.layers import KINDS
from core.losses import LOSSES
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.checking.mistakes.through_time import Array, Found, program

BOTH, AHEAD, BACK = (True, True), (True, False), (False, True)


class TwoDirections:
    """A recurrent layer in both directions, dense, half the squared error.

    The dense layer adds what the directions give it, so each direction's program is that of a layer alone, whose target
    lacks what the other direction contributes.
    """

    def __init__(self, kind: str, seed: int, sequences: bool) -> None:
        self.kind, self.sequences = kind, sequences
        self.ahead, self.back = program(kind, seed, sequences), program(kind, seed + 50, sequences)
        self.X, self.Y, self.c, self.u = self.ahead.X, self.ahead.Y, self.ahead.c, self.ahead.u
        self.back.X = self.X[:, ::-1]
        self.P = {**self.ahead.P, **{f"{name}_reverse": array for name, array in self.back.P.items()}}
        self.V = np.concatenate([self.ahead.V, self.back.V])
        self.back.c = self.c

    def problem(self) -> Problem:
        recurrent: Any = KINDS[self.kind]
        dense: Any = KINDS["dense"]
        loss: Any = LOSSES["half_squared_error"]
        layer = recurrent(units=self.u, return_sequences=self.sequences, bidirectional=True, name="r")
        return validate(
            ProblemSpec(
                layers=[layer, dense(units=2, name="out")],
                inputs={"input": self.X},
                parameters={"r": self.P, "out": {"weight": self.V, "bias": self.c}},
                targets=self.Y,
                loss=loss(reduction="sum"),
                convention="row",
            )
        )

    def turned(self, array: Array) -> Array:
        return array[:, ::-1] if self.sequences else array

    def states(self, one: Any) -> Array:
        H = one.forward()
        return np.stack(H[1:], axis=1) if self.sequences else H[-1]

    def solve(self, wrong: str = "", where: tuple[bool, bool] = BOTH) -> Found:
        H, G = self.states(self.ahead), self.turned(self.states(self.back))
        self.ahead.Y = self.Y - G @ self.back.V
        self.back.Y = self.turned(self.Y - H @ self.ahead.V)
        found = self.ahead.solve(wrong if where[0] else "")
        other = self.back.solve(wrong if where[1] else "")
        dX = found.pop("input") + other.pop("input")[:, ::-1]
        return {**found, **{f"{name}_reverse": array for name, array in other.items()}, "input": dX}


def found_by(made: TwoDirections, submitted: Found) -> dict[str, str]:
    """The slugs of the mistakes that reproduce all gradients of the layer, with their texts."""
    right = Right(made.problem())
    yours = {Quantity("gradients", "r", name): submitted[name] for name in made.P}
    comparator = Comparator(right.network, criterion_for(set(), yours, None, None), right.trace, right.values)
    struck = next(q for q, array in yours.items() if not comparator.is_right(q, array))
    found = findings(comparator, right.trace, struck, yours, {q: q.by_rule for q in yours})
    return {each.slug: each.mistakes[0].said for each in found}


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_the_backward_pass_written_out_is_that_of_the_layer(kind: str, sequences: bool) -> None:
    made = TwoDirections(kind, 3, sequences)
    trace = Right(made.problem()).trace
    own, written, by_hand = trace.backward("r"), AnyBackward().backward(trace, "r"), made.solve()
    assert written is not None
    np.testing.assert_allclose(written.inputs[0], own.inputs[0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(by_hand["input"], own.inputs[0], rtol=1e-10, atol=1e-12)
    assert written.parameters.keys() == own.parameters.keys()
    for parameter, gradient in own.parameters.items():
        np.testing.assert_allclose(written.parameters[parameter], gradient, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(by_hand[parameter], gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("where", [BOTH, AHEAD, BACK])
@pytest.mark.parametrize(
    ("kind", "slug"),
    [
        ("rnn", "time-truncated"),
        ("rnn", "time-derivative-missing"),
        ("rnn", "recurrent-gradient-wraps-around"),
        ("lstm", "forget-gate-derivative-incomplete"),
        ("lstm", "cell-not-carried"),
        ("gru", "reset-path-missing"),
        ("gru", "recurrent-bias-without-reset"),
    ],
)
def test_a_mistake_is_found_in_every_direction(kind: str, slug: str, where: tuple[bool, bool]) -> None:
    made = TwoDirections(kind, 2, sequences=True)
    found = found_by(made, made.solve(slug, where))
    assert set(found) == {slug}
    only = {BOTH: "", AHEAD: ", in the forward direction only", BACK: ", in the backward direction only"}[where]
    assert found[slug].endswith(only)
    assert only or "direction" not in found[slug]


def by_hand(made: TwoDirections, wrong: str) -> Found:
    """The gradients of an rnn in both directions, in one loop for each, with one line that can be wrong."""
    H, G = made.states(made.ahead), made.turned(made.states(made.back))
    dZ = (np.concatenate([H, G], axis=-1) @ made.V + made.c - made.Y) @ made.V.T
    dH, dG = dZ[..., : made.u], dZ[..., made.u :]
    if wrong == "directions-swapped":
        dH, dG = dG, dH
    if wrong == "directions-added":
        dH = dG = dH + dG
    if wrong != "backward-direction-not-reversed-back":
        dG = made.turned(dG)
    found: Found = {}
    sent_back = []
    for one, d, end in ((made.ahead, dH, ""), (made.back, dG, "_reverse")):
        states, later, dX = one.forward(), np.zeros((one.n, one.u)), np.zeros_like(one.X)
        own = {name: np.zeros_like(array) for name, array in one.P.items()}
        for t in reversed(range(one.T)):
            last = t == one.T - 1
            dh = later + (d[:, t] if made.sequences else d if last else 0)
            da = dh * (1 - states[t + 1] ** 2)
            own["weight"] += one.X[:, t].T @ da
            own["recurrent_weight"] += states[t].T @ da
            own["bias"] += da.sum(axis=0)
            dX[:, t], later = da @ one.P["weight"].T, da @ one.P["recurrent_weight"].T
        found |= {f"{name}{end}": array for name, array in own.items()}
        sent_back.append(dX)
    first, second = sent_back
    back = second if wrong == "sequence-gradient-not-reversed-back" else second[:, ::-1]
    back = np.zeros_like(back) if wrong == "backward-direction-lost" else back
    found["input"] = (0 if wrong == "forward-direction-lost" else first) + back
    return found


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("slug", ["directions-swapped", "directions-added", "backward-direction-not-reversed-back"])
def test_what_each_direction_receives(slug: str, sequences: bool) -> None:
    if slug == "backward-direction-not-reversed-back" and not sequences:
        pytest.skip("a single state has no order")
    made = TwoDirections("rnn", 4, sequences)
    assert set(found_by(made, by_hand(made, slug))) == {slug}


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(
    "slug", ["sequence-gradient-not-reversed-back", "backward-direction-lost", "forward-direction-lost"]
)
def test_what_the_directions_send_back(slug: str, sequences: bool) -> None:
    made = TwoDirections("rnn", 5, sequences)
    right = Right(made.problem())
    quantity, submitted = Quantity("input_gradient", "input"), by_hand(made, slug)["input"]
    comparator = Comparator(
        right.network, criterion_for(set(), {quantity: submitted}, None, None), right.trace, right.values
    )
    (found,) = findings(comparator, right.trace, quantity, {quantity: submitted}, {quantity: quantity.by_rule})
    assert found.slug == slug
    assert slug in {mistake.slug for mistake in RECURRENCE}
