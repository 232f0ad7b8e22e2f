"""A neighbouring convention is named and never accused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from core.layers.activation import ActivationLayer
from tests.core.checking.forward_readings import programs as by_hand

LEAKY = by_hand.classifier("leaky_relu")
ELU = by_hand.classifier("elu")
GELU = by_hand.classifier("gelu")
BATCH, LAYER = by_hand.normalised("batch_norm"), by_hand.normalised("layer_norm")
LSTM, GRU = by_hand.recurrent("lstm"), by_hand.recurrent("gru")
ATTENTION = by_hand.attentive()


def leaky(slope: float) -> Any:
    return lambda z: np.where(z.real > 0, z, slope * z)


def elu(alpha: float) -> Any:
    return lambda z: np.where(z.real > 0, z, alpha * (np.exp(z) - 1))


def gelu_by_tanh(z: Any) -> Any:
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


CONVENTIONS: list[tuple[Any, Any, str]] = [
    *((BATCH, by_hand.normalise(BATCH, 0, epsilon), "another-epsilon") for epsilon in (1e-3, 1e-6, 1e-8, 0.0)),
    *((LAYER, by_hand.normalise(LAYER, 1, epsilon), "another-epsilon") for epsilon in (1e-3, 1e-6, 1e-12)),
    (BATCH, by_hand.normalise(BATCH, 0, 1e-5, outside=True), "epsilon-outside-root"),
    (LAYER, by_hand.normalise(LAYER, 1, 1e-3, outside=True), "epsilon-outside-root"),
    (LEAKY, by_hand.classify(LEAKY, leaky(0.2)), "another-constant"),
    (LEAKY, by_hand.classify(LEAKY, leaky(0.3)), "another-constant"),
    (ELU, by_hand.classify(ELU, elu(0.5)), "another-constant"),
    (GELU, by_hand.classify(GELU, gelu_by_tanh), "gelu-approximation"),
    (LEAKY, by_hand.classify(LEAKY, leaky(0.01), last=lambda z: by_hand.softmax(z / 2)), "softmax-temperature"),
    *(
        (LSTM, by_hand.remember(LSTM, order), "another-gate-order")
        for order in ("ifog", "iofg", "figo", "igfo", "gifo", "ogif")
    ),
    (GRU, by_hand.gated(GRU, "zrn"), "another-gate-order"),
    (GRU, by_hand.gated(GRU, before=True), "reset-gate-before-product"),
    (GRU, by_hand.gated(GRU, turned=True), "update-gate-turned"),
    (ATTENTION, by_hand.attend(ATTENTION, 1.0), "scores-scaled-otherwise"),
    (ATTENTION, by_hand.attend(ATTENTION, 0.5), "scores-scaled-otherwise"),
    (ATTENTION, by_hand.attend(ATTENTION, order="KQV"), "another-block-order"),
]


@pytest.mark.parametrize(("exercise", "forward", "slug"), CONVENTIONS, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("parts", ["loss", "all", "gradients"])
def test_a_neighbouring_convention_is_named(exercise: Any, forward: Any, slug: str, parts: str) -> None:
    report = exercise.report(forward, parts)
    assert not report.blame
    assert report.verdict == "equivalent-layout"
    assert [each.slug for each in report.equivalences] == [slug]


def test_two_conventions_at_once_are_both_named() -> None:
    report = GRU.report(by_hand.gated(GRU, "zrn", before=True), "loss")
    assert not report.blame
    assert {each.slug for each in report.equivalences} == {"another-gate-order", "reset-gate-before-product"}


def test_another_convention_with_a_sum_for_a_mean_is_named() -> None:
    forward = by_hand.normalise(BATCH, 0, 1e-3)

    def summed(p: Any, X: Any) -> Any:
        loss, activations = forward(p, X)
        return len(X) * loss, activations

    report = BATCH.report(summed, "loss")
    assert not report.blame
    assert {each.slug for each in report.equivalences} == {"sum-or-mean", "another-epsilon"}


@pytest.mark.parametrize(("parts", "shared"), [("loss", True), ("all", True), ("gradients", True), ("all", False)])
def test_an_initial_state_is_recovered(parts: str, shared: bool) -> None:
    exercise = by_hand.recurrent("rnn", sequences=True)
    start = by_hand.random(8)(1 if shared else 3, 3)
    report = exercise.report(by_hand.elman(exercise, start), parts)
    assert not report.blame
    assert [each.slug for each in report.equivalences] == ["initial-state"]


def test_the_right_program_has_no_convention_of_its_own() -> None:
    for exercise, forward in (
        (BATCH, by_hand.normalise(BATCH, 0)),
        (LSTM, by_hand.remember(LSTM)),
        (GRU, by_hand.gated(GRU)),
        (ATTENTION, by_hand.attend(ATTENTION)),
    ):
        assert exercise.report(forward, "all").verdict == "correct"


def test_the_function_of_an_activation_layer_is_read_otherwise_too() -> None:
    exercise = by_hand.classifier("identity")
    exercise.layers = [exercise.layers[0], ActivationLayer(function="leaky_relu", name="f"), *exercise.layers[1:]]
    for name, each in zip("123", (exercise.layers[0], *exercise.layers[2:]), strict=True):
        object.__setattr__(each, "name", name)
    report = exercise.report(by_hand.classify(exercise, leaky(0.2)), "loss")
    assert [each.slug for each in report.equivalences] == ["another-constant"]
