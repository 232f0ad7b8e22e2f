"""Reports about updates: the parameters after each of some steps."""

from __future__ import annotations

from typing import Any

from tests.core.checking.reports.public_report import PublicReport
from tests.core.checking.updates import RATE, adam, momentum, problem, run

ADAM: dict[str, Any] = {"kind": "adam", "learning_rate": RATE}
SGD: dict[str, Any] = {"kind": "sgd", "learning_rate": RATE}
VELOCITY = {**SGD, "momentum": 0.9}


def after(cause: str) -> list[tuple[str, str, str]]:
    return [("", "step.parameters", cause)]


REPORTS = (
    PublicReport(
        kind="Adam: 1 − β for 1 − βᵗ",
        body=problem(ADAM, run(adam(power=False), 4)),
        blame=after("bias-correction-without-power"),
    ),
    PublicReport(
        kind="Adam: multiplied by 1 − βᵗ",
        body=problem(ADAM, run(adam("multiply", "multiply"), 4)),
        blame=after("bias-correction-multiplied"),
    ),
    PublicReport(
        kind="Adam: no bias correction",
        source="cs231n, neural-networks-3",
        body=problem(ADAM, run(adam("leave", "leave"), 4)),
        blame=after("bias-correction-left-out"),
    ),
    PublicReport(
        kind="Adam: t is counted after its use",
        source="cs231n, neural-networks-3",
        body=problem(ADAM, run(adam(ahead=1), 4)),
        blame=after("counted-twice"),
    ),
    PublicReport(
        kind="momentum: the velocity of the step before",
        body=problem(VELOCITY, run(momentum(stale=True), 4)),
        blame=after("stale-velocity"),
    ),
    PublicReport(
        kind="momentum: the same, and 1 − μ twice",
        body=problem(VELOCITY, run(momentum(0.1, 0.1, stale=True), 4)),
        blame=after("stale-velocity and one-minus-momentum-twice"),
    ),
    PublicReport(
        kind="the step goes uphill",
        source="onefourthlabs 6994",
        body=problem(SGD, run(momentum(sign=-1.0, mu=0.0), 4)),
        blame=after("step-uphill | gradient-with-wrong-sign"),
    ),
    PublicReport(
        kind="gradients are not set to zero between steps",
        source="torch's zero_grad",
        body=problem(SGD, run(momentum(mu=1.0), 4)),
        blame=after("gradients-not-reset"),
    ),
    PublicReport(
        kind="Adam: ε inside the root",
        source="Ruder's survey and torch",
        body=problem({**ADAM, "epsilon": 1e-3}, run(adam(epsilon="inside", size=1e-3), 4)),
        blame=after("epsilon-inside-root"),
    ),
    PublicReport(
        kind="weight decay of the wrong sign in the update",
        body=problem({**ADAM, "weight_decay": 0.1}, run(adam(decay=-0.1), 4)),
        blame=after("decay-with-wrong-sign"),
    ),
    PublicReport(kind="Adam: right", body=problem(ADAM, run(adam(), 4)), verdicts=("correct",)),
)
