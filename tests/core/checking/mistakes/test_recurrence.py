"""Every mistake inside rnn, lstm and gru, replayed against a hand-written program with that mistake."""

from __future__ import annotations

from typing import Any

from core.checking.comparison import Comparator
from core.checking.interpretation import Right
from core.checking.mistakes.recurrence import RECURRENCE
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.replay import findings
from tests.core.checking.mistakes.through_time import Program, program

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn": ("rnn", {}),
    "lstm": ("lstm", {}),
    "gru": ("gru", {}),
    "gru-reset-before": ("gru", {"reset_after": False}),
}
"""The layers by name: kind and fields."""

SAME: list[frozenset[str]] = []
"""Mistakes that give the same numbers wherever both are possible."""


def found_by(made: Program, wrong: str) -> list[str]:
    """The slugs of the mistakes that reproduce all gradients of the layer."""
    right = Right(made.problem())
    submitted = made.solve(wrong)
    yours = {Quantity("gradients", "r", name): submitted[name] for name in made.P}
    comparator = Comparator(
        right.network, criterion_for(set(), list(yours.values()), None, None), right.trace, right.values
    )
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
