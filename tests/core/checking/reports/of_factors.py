"""Reports about constants: n, ½, the number of outputs, signs and penalties."""

from __future__ import annotations

import numpy as np

from tests.core.checking.reports.dense_programs import sent
from tests.core.checking.reports.public_report import Body, PublicReport
from tests.core.checking.student import Array, Exercise, Solution, Student

MEAN = Exercise((3, 4, 3), ("tanh", "sigmoid"), examples=7, seed=41)
OUTPUTS = Exercise((3, 4, 3), ("tanh", "identity"), examples=7, loss="mean_squared_error", seed=42)
PENALISED = Exercise((3, 4, 2), ("tanh", "identity"), examples=7, l2=0.3, seed=43)


class Scaled(Student):
    """The output delta times a constant, the loss times another."""

    def __init__(self, delta: float, loss: float = 1.0) -> None:
        self.by, self.of_loss = delta, loss

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return self.by * super().output_delta(e, Z, A)

    def loss(self, e: Exercise, A: Array) -> float:
        return self.of_loss * super().loss(e, A)


class AveragedAgain(Student):
    """Deltas that are means already, and 1/n once more before dW and db."""

    def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
        return np.asarray(A_in.T @ D / e.examples)

    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return np.asarray(D.sum(axis=0) / e.examples)


class AveragedInEveryLayer(Student):
    """1/n in the output delta and again in every delta below."""

    def back(self, D: Array, W: Array) -> Array:
        return D @ W.T / len(D)


class MeanOfSquares(Student):
    """2 (a − y)/n: the mean over n of the sum over the outputs, where the request's mean is over both."""

    def loss(self, e: Exercise, A: Array) -> float:
        return float(((A - e.Y) ** 2).sum() / e.examples)

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return 2 * (A - e.Y) / e.examples


class Penalty(Student):
    """λ W with another factor, and perhaps for biases too."""

    def __init__(self, factor: float, bias: float = 0.0) -> None:
        self.factor, self.bias = factor, bias

    def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
        return A_in.T @ D + self.factor * e.l2 * e.W[k]

    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return np.asarray(D.sum(axis=0) + self.bias * e.l2 * e.b[k])


def scaled(delta: float, loss: float = 1.0, *parts: str) -> Body:
    return sent(MEAN, Scaled(delta, loss).solve(MEAN), *parts)


def deltas_too(e: Exercise, program: Student) -> Body:
    return sent(e, program.solve(e), "loss", "deltas", "gradients")


def penalised(factor: float, bias: float = 0.0) -> Body:
    return sent(PENALISED, Penalty(factor, bias).solve(PENALISED))


def both(*pairs: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(layer, tensor, cause) for tensor, cause in pairs for layer in ("1", "2")]


def later() -> Body:
    """Return right gradients, and the loss after the step that they make."""
    moved = Exercise((3, 4, 3), ("tanh", "sigmoid"), examples=7, seed=41)
    solution: Solution = Student().solve(MEAN)
    moved.W = [W - 0.5 * dW for W, dW in zip(moved.W, solution.dW, strict=True)]
    moved.b = [b - 0.5 * db for b, db in zip(moved.b, solution.db, strict=True)]
    solution.loss = Student().solve(moved).loss
    return sent(MEAN, solution)


def at_output(cause: str) -> list[tuple[str, str, str]]:
    return [("2", "deltas", cause)]


REPORTS = (
    PublicReport(
        kind="1/n missing in the deltas, the loss is a mean",
        source="ai.SE 18712",
        body=scaled(7.0),
        blame=at_output("multiplied-by-batch-size"),
    ),
    PublicReport(
        kind="sums in the loss and in the gradients for means",
        source="ai.SE 18712",
        body=scaled(7.0, 7.0),
        verdicts=("equivalent-layout",),
        says=["sum-or-mean"],
    ),
    PublicReport(
        kind="averaged twice, in the delta and in dW and db",
        source="ai.SE 18712",
        body=deltas_too(MEAN, AveragedAgain()),
        blame=both(
            ("gradients.weight", "divided-by-batch-size | gradient-averaged-again"),
            ("gradients.bias", "divided-by-batch-size | gradient-averaged-again"),
        ),
    ),
    PublicReport(
        kind="1/n in every layer",
        source="ai.SE 18712",
        body=deltas_too(MEAN, AveragedInEveryLayer()),
        blame=[("1", "deltas", "divided-by-batch-size")],
    ),
    PublicReport(
        kind="2 (a − y) for a loss with ½",
        source="math.techqa 4158072",
        body=scaled(2.0),
        blame=at_output("multiplied-by-two"),
    ),
    PublicReport(
        kind="a squared error without ½ in the loss and the gradients",
        source="math.techqa 4158072",
        body=scaled(2.0, 2.0),
        verdicts=("equivalent-layout",),
        says=["half-or-not"],
    ),
    PublicReport(
        kind="a mean over examples for one over examples and outputs",
        source="documentation of torch's MSELoss",
        body=sent(OUTPUTS, MeanOfSquares().solve(OUTPUTS), "gradients"),
        verdicts=("equivalent-layout",),
        says=["mean-over-outputs"],
    ),
    PublicReport(
        kind="t − a for a − t",
        source="math.techqa 4158072, ai.SE 6255, onefourthlabs 6994",
        body=scaled(-1.0),
        blame=at_output("sign-flipped"),
    ),
    PublicReport(
        kind="the loss of another moment than the gradients",
        body=later(),
        verdicts=("wrong", "inconclusive"),
        blame=[("", "loss", "unknown")],
    ),
    PublicReport(
        kind="weight decay subtracted, from the biases too",
        body=penalised(-1.0, -1.0),
        blame=both(("gradients.weight", "penalty-subtracted"), ("gradients.bias", "penalty-subtracted")),
    ),
    PublicReport(
        kind="biases are penalised",
        source="Coursera, exercise 4",
        body=penalised(1.0, 1.0),
        blame=both(("gradients.bias", "penalty-on-bias")),
    ),
    PublicReport(
        kind="the penalty is missing in the gradient",
        source="a public copy of Coursera's exercise 4",
        body=penalised(0.0),
        blame=both(("gradients.weight", "penalty-missing")),
    ),
    PublicReport(
        kind="the penalty is doubled in the gradient",
        source="a public copy of Coursera's exercise 4",
        body=penalised(2.0),
        blame=both(("gradients.weight", "penalty-doubled")),
    ),
    PublicReport(
        kind="the penalty is divided by n in the gradient",
        source="a public copy of Coursera's exercise 4",
        body=penalised(1 / 7),
        blame=both(("gradients.weight", "penalty-divided-by-batch-size")),
    ),
)
