"""Mazur's worked example, in which the printed numbers come from weights that were updated already."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.checking.reports.public_report import Body, Place, PublicReport, body, dense
from tests.core.checking.student import Array

X, Y = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
W, V = np.array([[0.15, 0.25], [0.20, 0.30]]), np.array([[0.40, 0.50], [0.45, 0.55]])
B, C = np.full(2, 0.35), np.full(2, 0.60)
RATE = 0.5
RIGHT, PRINTED = 0.291027774, 0.291027924
"""The loss after the first step: right, and as it is printed."""


def sigmoid(Z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-Z)))


def loss(first: Array, second: Array) -> float:
    """½ ‖a − t‖² with the biases as they are: the example leaves them alone."""
    A: Array = sigmoid(sigmoid(X @ first + B) @ second + C)
    return float(0.5 * ((A - Y) ** 2).sum())


def gradients(first: Array, second: Array, *, updated: bool) -> tuple[Array, Array, Array, Array]:
    """Return dW, db, dV and dc; `updated` takes the step of the upper layer before the delta goes down."""
    A1 = sigmoid(X @ first + B)
    A2 = sigmoid(A1 @ second + C)
    D2 = (A2 - Y) * A2 * (1 - A2)
    carried = second - RATE * A1.T @ D2 if updated else second
    D1 = (D2 @ carried.T) * A1 * (1 - A1)
    return X.T @ D1, D1.sum(axis=0), A1.T @ D2, D2.sum(axis=0)


def trained(steps: int, *, updated: bool) -> tuple[Array, Array]:
    """Return the weights after some steps."""
    first, second = W.copy(), V.copy()
    for _ in range(steps):
        dW, _, dV, _ = gradients(first, second, updated=updated)
        first, second = first - RATE * dW, second - RATE * dV
    return first, second


def asked(submission: Any, **more: Any) -> Body:
    layers = [dense(2, "sigmoid"), dense(2, "sigmoid")]
    parameters = {"1": {"weight": W, "bias": B}, "2": {"weight": V, "bias": C}}
    return body(layers, X, Y, parameters, submission, loss={"kind": "half_squared_error", "reduction": "sum"}, **more)


def by_gradients(*, updated: bool) -> Body:
    dW, db, dV, dc = gradients(W, V, updated=updated)
    found = {"1": {"weight": dW, "bias": db}, "2": {"weight": dV, "bias": dc}}
    return asked({"loss": loss(W, V), "gradients": found})


def by_steps(*, updated: bool) -> Body:
    """Return the weights after each of three steps; the biases are frozen."""
    steps = []
    for number in (1, 2, 3):
        first, second = (array.tolist() for array in trained(number, updated=updated))
        found = {"1": {"weight": first, "bias": B.tolist()}, "2": {"weight": second, "bias": C.tolist()}}
        steps.append({"parameters": found})
    submission = {"step": {"optimizer": {"kind": "sgd", "learning_rate": RATE}, "steps": steps}}
    return asked(submission, freeze=["1.bias", "2.bias"])


SOURCE = "Mazur's step-by-step example, SO 6013429, ai.SE 26136"
AFTER: list[Place] = [("1", "step.parameters.weight", "updated-weights-used")]
REPORTS = (
    PublicReport(
        kind="update before propagate: the gradients",
        source=SOURCE,
        body=by_gradients(updated=True),
        blame=[("1", "deltas", "updated-weights-used")],
    ),
    PublicReport(
        kind="update before propagate: the weights after each step",
        source=SOURCE,
        body=by_steps(updated=True),
        blame=AFTER,
    ),
    PublicReport(
        kind="the same example with the weights before their step",
        source=SOURCE,
        body=by_steps(updated=False),
        verdicts=("correct",),
    ),
)
