"""Reports about dense networks: deltas, outer products and biases."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.checking.reports import dense_programs as by_hand
from tests.core.checking.reports.dense_programs import sent
from tests.core.checking.reports.public_report import PublicReport
from tests.core.checking.student import Array, Exercise, Solution, Student

SIGMOIDS = Exercise((3, 5, 2), ("sigmoid", "sigmoid"), examples=4, seed=21)
SQUARE = Exercise((3, 3, 3, 3), ("sigmoid",) * 3, examples=5, seed=22)
TANH = Exercise((4, 3, 3, 2), ("tanh", "tanh", "sigmoid"), examples=5, seed=23)
CLASSES = Exercise((2, 3), ("softmax",), examples=5, loss="cross_entropy", seed=24)
BINARY = Exercise((2, 3), ("sigmoid",), examples=5, loss="binary_cross_entropy", seed=25)
ONE = Exercise((3, 4, 2), ("sigmoid", "softmax"), examples=1, loss="cross_entropy", seed=26)
ONE_SIGMOIDS = Exercise((2, 3, 2), ("sigmoid", "sigmoid"), examples=1, reduction="sum", seed=27)


class HiddenWithoutDerivative(Student):
    def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
        return self.back(D, e.W[k + 1])


class DerivativeAtActivation(Student):
    def derivative(self, function: str, Z: Array, A: Array) -> Array:
        s = 1 / (1 + np.exp(-A))
        return s * (1 - s)


class TanhOfSum(Student):
    def derivative(self, function: str, Z: Array, A: Array) -> Array:
        return 1 - Z**2 if function == "tanh" else super().derivative(function, Z, A)


class WeightsLeftOut(Student):
    def back(self, D: Array, W: Array) -> Array:
        return D


class NotTransposed(Student):
    def back(self, D: Array, W: Array) -> Array:
        return D @ W


class Outer(Student):
    """Another outer product: transposed, of the own output, or of the preactivation."""

    def __init__(self, way: str) -> None:
        self.way = way

    def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
        if self.way == "second transposed":
            return D.T @ A_in if k == 1 else A_in.T @ D
        return {"transposed": D.T @ A_in, "own": A.T @ D, "sum": Z_in.T @ D}[self.way]


class Swapped(Student):
    """The weight gradients of the two lower layers in each other's place."""

    def solve(self, e: Exercise) -> Solution:
        found = super().solve(e)
        found.dW[0], found.dW[1] = found.dW[1], found.dW[0]
        return found


class OverUnits(Student):
    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return np.asarray(D.sum(axis=1))


class NotSummed(Student):
    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return D


def everything(e: Exercise, program: Student) -> Any:
    return sent(e, program.solve(e), "loss", "activations", "deltas", "gradients")


def places(tensor: str, cause: str, *layers: str) -> list[tuple[str, str, str]]:
    return [(layer, tensor, cause) for layer in layers]


REPORTS = (
    PublicReport(
        kind="another column than that of the biases is removed from the weights",
        body=sent(SIGMOIDS, by_hand.WrongRowRemoved().solve(SIGMOIDS), convention="torch"),
        blame=[("1", "deltas", "wrong-bias-row-removed")],
    ),
    PublicReport(
        kind="the same, from weights that have taken their step",
        body=sent(SIGMOIDS, by_hand.WrongRowRemovedAfterUpdate().solve(SIGMOIDS), convention="torch"),
        blame=[("1", "deltas", "unknown | wrong-bias-row-removed+updated-weights-used")],
    ),
    PublicReport(
        kind="bias gradient as one number, softmax and cross-entropy",
        source="datascience.SE 20139",
        body=sent(CLASSES, by_hand.OneNumber().solve(CLASSES)),
        blame=[("1", "gradients.bias", "bias-gradient-one-number")],
    ),
    PublicReport(
        kind="bias gradient as one number, sent as a scalar",
        source="datascience.SE 20139",
        body=sent(CLASSES, by_hand.Scalar().solve(CLASSES), convention="column"),
        blame=[("1", "gradients.bias", "bias-gradient-one-number")],
    ),
    PublicReport(
        kind="bias gradient as one number, sigmoid",
        source="datascience.SE 20139",
        body=sent(BINARY, by_hand.OneNumber().solve(BINARY)),
        blame=[("1", "gradients.bias", "bias-gradient-one-number")],
    ),
    PublicReport(
        kind="bias gradient summed over the units instead of the examples",
        source="datascience.SE 20139",
        body=sent(SQUARE, OverUnits().solve(SQUARE)),
        blame=places("gradients.bias", "bias-gradient-over-wrong-axis", "1", "2", "3"),
    ),
    PublicReport(
        kind="bias gradient not summed: one row for each example",
        source="datascience.SE 20139",
        body=sent(SIGMOIDS, NotSummed().solve(SIGMOIDS)),
        blame=places("gradients.bias", "bias-gradient-not-summed", "1", "2"),
    ),
    PublicReport(
        kind="inner product of error and output instead of the outer product",
        source="math.techqa 2730015",
        body=sent(ONE, by_hand.InnerProduct().solve(ONE), convention="column"),
        blame=places("gradients.weight", "inner-product-instead-of-outer", "1", "2"),
    ),
    PublicReport(
        kind="the input is left out of the weight gradient, one example",
        body=sent(ONE_SIGMOIDS, by_hand.InputLeftOut().solve(ONE_SIGMOIDS)),
        blame=places("gradients.weight", "input-left-out", "1", "2"),
    ),
    PublicReport(
        kind="the input is left out of the weight gradient, four examples",
        body=sent(SIGMOIDS, by_hand.InputLeftOut().solve(SIGMOIDS)),
        blame=places("gradients.weight", "input-left-out", "1", "2"),
    ),
    PublicReport(
        kind="every weight gradient transposed: the other convention",
        source="math.techqa 3979526, stats.SE 291490",
        body=sent(SQUARE, Outer("transposed").solve(SQUARE)),
        verdicts=("equivalent-layout",),
        says=["transposed-layout"],
    ),
    PublicReport(
        kind="the weight gradient of one square layer transposed",
        source="math.techqa 3979526, stats.SE 291490",
        body=sent(SQUARE, Outer("second transposed").solve(SQUARE)),
        blame=[("2", "gradients.weight", "outer-product-transposed")],
    ),
    PublicReport(
        kind="the weight gradients of two layers in each other's place",
        source="copies of stats.SE 328242",
        body=sent(SQUARE, Swapped().solve(SQUARE)),
        blame=places("gradients.weight", "gradient-of-another-layer", "1", "2"),
    ),
    PublicReport(
        kind="the layer's output for its input in the weight gradient, square layers",
        source="stats.SE 590348, stats.SE 188678",
        body=sent(SQUARE, Outer("own").solve(SQUARE)),
        blame=places("gradients.weight", "own-output-instead-of-input", "1", "2", "3"),
    ),
    PublicReport(
        kind="z of the layer below for a in the weight gradient",
        source="ml-glossary, note on *Input*",
        body=sent(TANH, Outer("sum").solve(TANH)),
        blame=places("gradients.weight", "preactivation-instead-of-activation", "2", "3"),
    ),
    PublicReport(
        kind="output delta without f'",
        source="datascience.SE 41212",
        body=everything(SIGMOIDS, by_hand.WithoutDerivative()),
        blame=[("2", "deltas", "missing-activation-derivative")],
    ),
    PublicReport(
        kind="output delta without f', hidden delta from updated weights",
        source="datascience.SE 41212, SO 6013429",
        body=sent(
            SIGMOIDS,
            type("Both", (by_hand.WithoutDerivative, by_hand.Updated), {"rate": 0.01})().solve(SIGMOIDS),
        ),
        blame=[("2", "deltas", "missing-activation-derivative"), ("1", "deltas", "updated-weights-used")],
    ),
    PublicReport(
        kind="hidden deltas without f'",
        source="datascience.SE 41212",
        body=everything(TANH, HiddenWithoutDerivative()),
        blame=places("deltas", "missing-activation-derivative", "1", "2"),
    ),
    PublicReport(
        kind="σ' of a number that is activated already",
        source="math.techqa 4158072",
        body=everything(SQUARE, DerivativeAtActivation()),
        blame=places("deltas", "derivative-at-activation", "1", "2", "3"),
    ),
    PublicReport(
        kind="1 − z² for 1 − a² in tanh layers",
        source="deeplearning.ai 31965",
        body=everything(TANH, TanhOfSum()),
        blame=places("deltas", "derivative-formula-of-preactivation", "1", "2"),
    ),
    PublicReport(
        kind="the weights are missing in the recursion",
        source="math.SE 3048198",
        body=everything(SQUARE, WeightsLeftOut()),
        blame=places("deltas", "weights-left-out", "1", "2"),
    ),
    PublicReport(
        kind="W for its transpose in the recursion, square layers",
        source="deeplearning.ai 555868, 24551",
        body=everything(SQUARE, NotTransposed()),
        blame=places("deltas", "weights-not-transposed", "1", "2"),
    ),
)
