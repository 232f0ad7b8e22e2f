"""Reports about numerical gradients, which say nothing about a backpropagation."""

from __future__ import annotations

from typing import Any

from tests.core.checking.reports.dense_programs import sent
from tests.core.checking.reports.public_report import Body, PublicReport
from tests.core.checking.student import Exercise, Student
from tests.core.checking.test_numerical_gradient import differences, drifting

NETWORK = Exercise((3, 4, 2), ("tanh", "sigmoid"), examples=5, seed=91)


def of(submission: Any, **more: Any) -> Body:
    """Return the request of a numerical gradient."""
    found = sent(NETWORK, Student().solve(NETWORK))
    gradients = {
        layer: {name: array.tolist() for name, array in own.items()} for layer, own in submission.gradients.items()
    }
    found["submission"] = {"gradients": gradients, **more}
    return found


def report(kind: str, slug: str, body: Body, source: str = "—") -> PublicReport:
    return PublicReport(kind=kind, source=source, body=body, verdicts=("inconclusive",), says=[slug])


REPORTS = (
    report(
        "a numerical gradient whose point drifts by 1e-4",
        "difference-at-a-moving-point",
        of(drifting(NETWORK, 1e-4, -1)),
    ),
    report(
        "a numerical gradient whose point drifts by 1e-3",
        "difference-at-a-moving-point",
        of(drifting(NETWORK, 1e-3, -1)),
    ),
    report(
        "a central difference divided by ε",
        "difference-divided-wrongly",
        of(drifting(NETWORK, 1e-4, 0, divided_by=1)),
    ),
    report(
        "a one-sided difference",
        "one-sided-difference",
        of(differences(NETWORK, 1e-4, 1)),
        "cs231n, neural-networks-3",
    ),
    report(
        "a central difference with too small a step",
        "difference-step-too-small",
        of(differences(NETWORK, 1e-11, 2)),
        "cs231n, neural-networks-3",
    ),
)
