"""A mistake of the forward pass is blamed at the tensor that it makes wrong, and nothing behind it is."""

from __future__ import annotations

from typing import Any

import pytest

from core.checking.quantity import Quantity
from tests.core.checking.forward_readings import programs as by_hand

CLASSIFIER = by_hand.classifier()
LSTM, CAUSAL = by_hand.recurrent("lstm"), by_hand.attentive(causal=True)
BATCH = by_hand.normalised("batch_norm")


def without_bias(p: Any, X: Any) -> Any:
    return X @ p["weight"]


def one_bias(b: Any) -> Any:
    return {letter: b["o"] for letter in "ifgo"}


def output_bias_in_the_gates(b: Any) -> Any:
    return {**b, "i": b["o"], "f": b["o"]}


MISTAKES: list[tuple[Any, Any, tuple[Quantity, ...], str]] = [
    (
        CLASSIFIER,
        by_hand.classify(CLASSIFIER, last=lambda z: by_hand.softmax(by_hand.softmax(z))),
        (Quantity("activations", "3"),),
        "output-function-applied-twice",
    ),
    (
        CLASSIFIER,
        by_hand.classify(CLASSIFIER, second=lambda z: z),
        (Quantity("activations", "2"),),
        "activation-left-out",
    ),
    (LSTM, by_hand.remember(LSTM, bias=one_bias), (Quantity("preactivations", "1"),), "bias-of-another-gate"),
    (
        LSTM,
        by_hand.remember(LSTM, bias=output_bias_in_the_gates),
        (Quantity("preactivations", "1"),),
        "bias-of-another-gate",
    ),
    (LSTM, by_hand.remember(LSTM, shown=lambda c: c), (Quantity("preactivations", "1"),), "gate-function-left-out"),
    (CAUSAL, by_hand.attend(CAUSAL), (Quantity("preactivations", "1"),), "mask-left-out"),
    (BATCH, by_hand.normalise(BATCH, 1), (Quantity("preactivations", "2"),), "forward-normalised-over-another-axis"),
]


@pytest.mark.parametrize(
    ("exercise", "forward", "places", "slug"), MISTAKES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_forward_mistake_is_named(exercise: Any, forward: Any, places: tuple[Quantity, ...], slug: str) -> None:
    report = exercise.report(forward, "loss")
    assert report.verdict == "wrong"
    assert [(each.quantity, each.cause) for each in report.blame] == [(place, slug) for place in places]
    assert not any(row.status == "wrong" for row in report.rows)
