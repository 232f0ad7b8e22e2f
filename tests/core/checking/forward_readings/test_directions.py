"""Directions that a program joins otherwise: mistakes are blamed at the layer, and a convention is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.quantity import Quantity
from tests.core.checking.forward_readings import programs as by_hand


def exercise(sequences: bool, kind: str = "rnn") -> Any:
    draw = by_hand.random(3)
    own = {
        f"{name}{end}": draw(*shape)
        for end in ("", "_reverse")
        for name, shape in {"weight": (2, 3), "recurrent_weight": (3, 3), "bias": (3,)}.items()
    }
    layers = [
        by_hand.layer(kind, units=3, return_sequences=sequences, bidirectional=True),
        by_hand.layer("dense", units=2),
    ]
    Y = draw(3, 4, 2) if sequences else draw(3, 2)
    parameters = {"1": own, "2": by_hand.dense(draw, 6, 2)}
    return by_hand.Exercise(layers, draw(3, 4, 2), Y, parameters, by_hand.loss("half_squared_error"))


def states(p: Any, X: Any, end: str = "", start: Any = 0.0) -> Any:
    h, found = np.zeros((len(X), 3)) + start, []
    for t in range(X.shape[1]):
        h = np.tanh(X[:, t] @ p[f"weight{end}"] + h @ p[f"recurrent_weight{end}"] + p[f"bias{end}"])
        found.append(h)
    return np.stack(found, axis=1)


def in_both(e: Any, join: Any, start: Any = 0.0) -> Any:
    def forward(p: Any, X: Any) -> tuple[Any, dict[str, Any]]:
        Z = join(states(p["1"], X, start=start), states(p["1"], X[:, ::-1], "_reverse", start))
        A2 = by_hand.through(p["2"], Z)
        return by_hand.squares(A2, e.Y), {"1": Z, "2": A2}

    return forward


def side_by_side(*parts: Any) -> Any:
    return np.concatenate(parts, axis=-1)


@pytest.mark.parametrize("parts", ["loss", "all"])
@pytest.mark.parametrize(
    ("sequences", "join", "slug"),
    [
        (True, lambda H, G: side_by_side(H, G), "backward-direction-not-reversed-back"),
        (True, lambda H, G: side_by_side(G[:, ::-1], H), "directions-swapped"),
        (False, lambda H, G: side_by_side(G[:, -1], H[:, -1]), "directions-swapped"),
    ],
)
def test_a_mistake_is_named(sequences: bool, join: Any, slug: str, parts: str) -> None:
    e = exercise(sequences)
    report = e.report(in_both(e, join), parts)
    assert report.verdict == "wrong"
    assert [(each.quantity, each.cause) for each in report.blame] == [(Quantity("preactivations", "1"), slug)] or [
        (each.quantity, each.cause) for each in report.blame
    ] == [(Quantity("activations", "1"), slug)]


def test_the_right_program_is_right_and_one_of_torchs_outputs_is_named() -> None:
    e = exercise(False)
    right = e.report(in_both(e, lambda H, G: side_by_side(H[:, -1], G[:, -1])), "all")
    assert right.verdict == "correct"
    report = e.report(in_both(e, lambda H, G: side_by_side(H[:, -1], G[:, 0])), "loss")
    assert not report.blame
    assert "h_n of torch" in report.summary


@pytest.mark.parametrize(
    ("join", "said"),
    [
        (lambda H, G: H + G[:, ::-1], "the sum of the two directions"),
        (lambda H, G: (H + G[:, ::-1]) / 2, "the mean of the two directions"),
        (lambda H, G: H, "the forward direction alone"),
    ],
)
def test_directions_that_do_not_stand_side_by_side_are_named(join: Any, said: str) -> None:
    e = exercise(True)

    def forward(p: Any, X: Any) -> tuple[Any, dict[str, Any]]:
        Z = join(states(p["1"], X), states(p["1"], X[:, ::-1], "_reverse"))
        A2 = Z @ p["2"]["weight"][:3] + p["2"]["bias"]
        return by_hand.squares(A2, e.Y), {"1": Z, "2": A2}

    report = e.report(forward, "all")
    assert report.verdict != "correct"
    assert said in report.summary


def test_a_state_that_does_not_start_at_0_is_recovered() -> None:
    e = exercise(False)
    report = e.report(in_both(e, lambda H, G: side_by_side(H[:, -1], G[:, -1]), np.array([[0.3, -0.2, 0.5]])), "all")
    assert not report.blame
    assert "[0.3, -0.2, 0.5, 0.3, -0.2, 0.5]" in report.summary
