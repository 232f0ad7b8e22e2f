"""Reports in which the gradients are right and nothing is learned all the same."""

from __future__ import annotations

from tests.core.checking.reports.dense_programs import sent
from tests.core.checking.reports.public_report import Body, PublicReport
from tests.core.checking.student import Exercise, Student


def zero() -> Body:
    """All weights and biases are 0."""
    e = Exercise((2, 3, 1), ("tanh", "sigmoid"), examples=4, loss="binary_cross_entropy", seed=101)
    e.W, e.b = [0 * W for W in e.W], [0 * b for b in e.b]
    return sent(e, Student().solve(e))


def alike() -> Body:
    """All hidden units have the same weights."""
    e = Exercise((2, 3, 1), ("tanh", "sigmoid"), examples=5, seed=102)
    e.W, e.b = [0 * W + 0.4 for W in e.W], [0 * b + 0.1 for b in e.b]
    return sent(e, Student().solve(e))


def saturated() -> Body:
    """z is near −50 in every hidden unit, where σ' is 2e-22."""
    e = Exercise((2, 3, 1), ("sigmoid", "sigmoid"), examples=9, seed=103)
    e.X = 1 + 0.1 * e.X
    e.W[0] = 0 * e.W[0] - [[24.0, 25.0, 26.0], [25.0, 26.0, 24.0]]
    return sent(e, Student().solve(e))


RIGHT = ("correct",)
REPORTS = (
    PublicReport(kind="all weights are zero", body=zero(), verdicts=RIGHT, says=["zero-gradients"]),
    PublicReport(
        kind="all hidden units are alike",
        source="datascience.SE 79607",
        body=alike(),
        verdicts=RIGHT,
        says=["symmetric-units"],
    ),
    PublicReport(
        kind="a zero gradient where the units are saturated",
        source="stats.SE 490374",
        body=saturated(),
        verdicts=RIGHT,
        says=["saturated-units"],
    ),
)
