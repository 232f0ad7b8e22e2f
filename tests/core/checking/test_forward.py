"""Mistakes of the forward pass: where it was submitted, and where only the gradients were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.checking.quantity import Quantity
from tests.core.checking.student import PARTS, Array, Exercise, Solution, Student, examined

pytestmark = pytest.mark.slow

EXERCISE = Exercise((3, 4, 4, 2), ("tanh", "sigmoid", "sigmoid"), examples=5)
CLASSES = Exercise((3, 4, 3), ("tanh", "softmax"), examples=5, loss="cross_entropy")


class Forward(Student):
    """A program whose layer `at` (from 0) goes forward in another way; the way back fits to it."""

    def __init__(self, at: int, Z: Callable[..., Array] | None = None, A: Callable[..., Array] | None = None) -> None:
        self.at, self.Z, self.A, self.layer = at, Z, A, 0

    def solve(self, e: Exercise) -> Solution:
        self.layer = -1
        return super().solve(e)

    def preactivation(self, A: Array, W: Array, b: Array) -> Array:
        self.layer += 1
        return self.Z(A, W, b) if self.Z and self.layer == self.at else super().preactivation(A, W, b)

    def forward(self, Z: Array, function: str) -> Array:
        return self.A(Z) if self.A and self.layer == self.at else super().forward(Z, function)


MISTAKES: list[tuple[Exercise, dict[str, Any], int, str, str]] = [
    (EXERCISE, {"Z": lambda A, W, b: A @ W}, 1, "preactivations", "bias-left-out"),
    (EXERCISE, {"Z": lambda A, W, b: A @ W.T + b}, 1, "preactivations", "forward-weights-transposed"),
    (EXERCISE, {"A": lambda Z: Z}, 1, "activations", "activation-left-out"),
    (EXERCISE, {"A": np.tanh}, 1, "activations", "another-activation"),
    (CLASSES, {"A": lambda Z: np.exp(Z) / np.exp(Z).sum(axis=0)}, 1, "activations", "softmax-over-the-batch"),
]


@pytest.mark.parametrize(
    ("exercise", "change", "at", "part", "cause"), MISTAKES, ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.parametrize(
    "parts", [PARTS, ("gradients", "deltas"), ("gradients",)], ids=["all", "backward", "gradients"]
)
def test_a_forward_mistake_is_named(
    exercise: Exercise, change: dict[str, Any], at: int, part: str, cause: str, parts: tuple[str, ...]
) -> None:
    report = examined(exercise.problem(), Forward(at, **change).solve(exercise).submission(*parts))
    assert report.verdict == "wrong"
    assert [(blame.quantity, blame.cause) for blame in report.blame] == [(Quantity(part, str(at + 1)), cause)]


def test_a_mistake_in_every_layer() -> None:
    class NoBias(Student):
        def preactivation(self, A: Array, W: Array, b: Array) -> Array:
            return A @ W

    report = examined(EXERCISE.problem(), NoBias().solve(EXERCISE).submission("gradients"))
    assert {(blame.quantity.layer, blame.cause) for blame in report.blame} == {
        (layer, "bias-left-out") for layer in ("1", "2", "3")
    }
