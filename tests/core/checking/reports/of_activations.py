"""Reports about the derivatives of activation functions, softmax among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.checking.reports.dense_programs import BinaryOnSoftmax, Elementwise, SoftmaxOutput, sent
from tests.core.checking.reports.public_report import Body, PublicReport
from tests.core.checking.student import Array, Exercise, Student

OWN = Exercise((3, 4, 2), ("own", "identity"), examples=5, seed=31)
TWO = Exercise((3, 4, 2), ("sigmoid", "softmax"), examples=5, loss="mean_squared_error", seed=32)
FOUR = Exercise((3, 4, 4), ("sigmoid", "softmax"), examples=5, loss="mean_squared_error", seed=33)
CLASSES = Exercise((3, 4, 3), ("tanh", "softmax"), examples=5, loss="cross_entropy", seed=34)
LEAKY = {"function": "leaky_relu", "negative_slope": 0.2}
ELU = {"function": "elu", "alpha": 1.7}


def leaky(z: Array) -> Array:
    return np.where(z > 0, z, 0.2 * z)


def elu(z: Array) -> Array:
    return np.where(z > 0, z, 1.7 * (np.exp(z) - 1))


def own(activation: Body, function: Any, slope: Any, *parts: str) -> Body:
    """Return the request of a network whose first layer has this function, differentiated so."""
    solution = Elementwise(function, slope).solve(OWN)
    return sent(OWN, solution, *parts, activations=[activation, "identity"])


class JacobianAgain(Student):
    """δ = J(p) (p − y): the Jacobian of softmax on top of the error that contains it."""

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return A * (1 - A) * (A - e.Y) / e.examples


class ClassNumbers(Student):
    """δ = p − c, with the number of the class for its one-hot row."""

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return np.asarray((A - e.Y.argmax(axis=1)[:, None]) / e.examples)


def from_one(name_first: int) -> Body:
    """Return a right program that counts its classes from 1; the request says from where it counts."""
    body = sent(CLASSES, Student().solve(CLASSES))
    body["batch"] |= {"targets": (CLASSES.Y.argmax(axis=1) + 1).tolist(), "first_label": name_first}
    return body


def one_too_high() -> Body:
    """Return the gradients for labels that are one class too high, the last one wrapped to the first."""
    moved = Exercise((3, 4, 4), ("tanh", "softmax"), examples=5, loss="cross_entropy", seed=35)
    labels = np.array([0, 2, 1, 2, 0])
    moved.Y = np.eye(4)[labels + 1]
    body = sent(moved, Student().solve(moved))
    body["batch"]["targets"] = labels.tolist()
    return body


REPORTS = (
    PublicReport(
        kind="the derivative of relu in a leaky_relu layer",
        body=own(LEAKY, leaky, lambda z, a: (z > 0).astype(float)),
        blame=[("1", "deltas", "derivative-of-another-function")],
    ),
    PublicReport(
        kind="the derivative of elu from its output, taken for wrong",
        body=own(ELU, elu, lambda z, a: np.where(z > 0, 1, a + 1.7)),
        verdicts=("correct",),
    ),
    PublicReport(
        kind="exp of the output in the derivative of elu",
        body=own(ELU, elu, lambda z, a: np.where(z > 0, 1, 1.7 * np.exp(a))),
        blame=[("1", "deltas", "derivative-at-activation")],
    ),
    PublicReport(
        kind="alpha missing in the derivative of elu",
        source="tiny-dnn #896",
        body=own(ELU, elu, lambda z, a: np.where(z > 0, 1, a + 1)),
        blame=[("1", "deltas", "default-constant-of-activation")],
    ),
    PublicReport(
        kind="relu' as a ≥ 0, which an output of relu always is",
        source="cs231n, Kinks",
        body=own({"function": "relu"}, lambda z: np.maximum(z, 0), lambda z, a: (a >= 0).astype(float)),
        blame=[("1", "deltas", "missing-activation-derivative | derivative-of-another-function")],
    ),
    PublicReport(
        kind="the diagonal of the softmax Jacobian, two classes",
        source="ai.SE 35741",
        body=sent(TWO, SoftmaxOutput(diagonal=True).solve(TWO), "gradients", convention="column"),
        verdicts=("wrong", "inconclusive"),
        blame=[("2", "deltas", "softmax-jacobian-diagonal")],
    ),
    PublicReport(
        kind="the same with the loss",
        source="ai.SE 35741",
        body=sent(TWO, SoftmaxOutput(diagonal=True).solve(TWO)),
        blame=[("2", "deltas", "softmax-jacobian-diagonal")],
    ),
    PublicReport(
        kind="the diagonal of the softmax Jacobian, four classes",
        source="ai.SE 35741",
        body=sent(FOUR, SoftmaxOutput(diagonal=True).solve(FOUR), "gradients", convention="column"),
        blame=[("2", "deltas", "softmax-jacobian-diagonal")],
    ),
    PublicReport(
        kind="the whole softmax Jacobian before a squared error is right",
        source="stats.SE 308307",
        body=sent(FOUR, SoftmaxOutput(diagonal=False).solve(FOUR)),
        verdicts=("correct",),
    ),
    PublicReport(
        kind="the diagonal of the softmax Jacobian on top of p − y",
        source="offlinew 3383959922, stats.SE 308307",
        body=sent(CLASSES, JacobianAgain().solve(CLASSES)),
        blame=[("2", "deltas", "softmax-diagonal-applied-again")],
    ),
    PublicReport(
        kind="binary cross-entropy on softmax, taken for wrong",
        body=sent(
            CLASSES,
            BinaryOnSoftmax().solve(CLASSES),
            "gradients",
            loss={"kind": "binary_cross_entropy"},
        ),
        verdicts=("correct",),
    ),
    PublicReport(
        kind="p − c with the number of the class",
        source="any text with y of shape (N,)",
        body=sent(CLASSES, ClassNumbers().solve(CLASSES)),
        blame=[("2", "deltas", "integer-labels")],
    ),
    PublicReport(kind="labels from 1, and the request says so", body=from_one(1), verdicts=("correct",)),
    PublicReport(
        kind="labels from 1 for labels from 0",
        body=one_too_high(),
        verdicts=("equivalent-layout", "inconclusive"),
        says=["labels-from-another-number"],
    ),
)
