"""Dense networks by hand: a student's program whose numbers are sent as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.checking.reports.public_report import Body, body, dense
from tests.core.checking.student import Array, Exercise, Solution, Student


def sent(
    e: Exercise,
    solution: Solution,
    *parts: str,
    activations: Any = None,
    loss: Any = None,
    convention: str = "row",
) -> Body:
    """Return the request of an exercise, with these parts of a solution: loss and gradients if none are named."""

    def data(array: Array) -> Array:
        return array.T if convention == "column" else array

    def weight(array: Array) -> Array:
        return array if convention == "row" else array.T

    def by_layer(arrays: Any) -> Body:
        return {str(k + 1): data(array) for k, array in enumerate(arrays)}

    def by_name(weights: Any, biases: Any) -> Body:
        pairs = zip(weights, biases, strict=True)
        return {str(k + 1): {"weight": weight(W), "bias": b} for k, (W, b) in enumerate(pairs)}

    found: Body = {}
    for part in parts or ("loss", "gradients"):
        match part:
            case "loss":
                found["loss"] = solution.loss
            case "gradients":
                found["gradients"] = by_name(solution.dW, solution.db)
            case "deltas":
                found["deltas"] = by_layer(solution.D)
            case "activations":
                found["activations"] = by_layer(solution.A[1:])
    functions = activations or e.functions
    return body(
        [dense(units, function) for units, function in zip(e.widths[1:], functions, strict=True)],
        data(e.X),
        data(e.Y),
        by_name(e.W, e.b),
        found,
        loss=loss or {"kind": e.loss, "reduction": e.reduction, **({"l2": e.l2} if e.l2 else {})},
        convention=convention,
    )


class WithoutDerivative(Student):
    """δ_L = (a − t)/n, without f'(z)."""

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return (A - e.Y) / (e.examples if e.reduction == "mean" else 1)


class Updated(Student):
    """The layer above has taken its step before its weights carry the delta down."""

    rate = 0.5

    def solve(self, e: Exercise) -> Solution:
        self.inputs: list[Array] = [e.X]
        for W, b, function in zip(e.W, e.b, e.functions, strict=True):
            self.inputs.append(self.forward(self.preactivation(self.inputs[-1], W, b), function))
        return super().solve(e)

    def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
        W = e.W[k + 1] - self.rate * self.inputs[k + 1].T @ D
        return self.back(D, W) * self.derivative(e.functions[k], Z, A)


class WrongRowRemoved(Student):
    """W above its bias row; on the way back another row than the last is removed."""

    row = 1

    def above(self, e: Exercise, k: int, D: Array) -> Array:
        return np.vstack([e.W[k + 1], e.b[k + 1]])

    def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
        W = np.delete(self.above(e, k, D), self.row, axis=0)
        return self.back(D, W) * self.derivative(e.functions[k], Z, A)


class WrongRowRemovedAfterUpdate(WrongRowRemoved, Updated):
    """The same with weights and biases that have taken their step."""

    def above(self, e: Exercise, k: int, D: Array) -> Array:
        return super().above(e, k, D) - self.rate * np.vstack([self.inputs[k + 1].T @ D, D.sum(axis=0)])


class InnerProduct(Student):
    """np.dot of the error and the layer's own output, a number."""

    def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
        return np.asarray(np.dot(D.ravel(), A.ravel()))


class InputLeftOut(Student):
    """The delta itself for every weight, summed over the examples."""

    def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
        return np.ones_like(A_in).T @ D


class OneNumber(Student):
    """db = np.sum(D): over the examples and the units."""

    scalar = False

    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return np.asarray(D.sum()) if self.scalar else np.full(D.shape[1], D.sum())


class Scalar(OneNumber):
    scalar = True


class Elementwise(Student):
    """An activation function with one constant, and the derivative that the program takes for its own."""

    def __init__(self, function: Any, slope: Any) -> None:
        self.function, self.slope = function, slope

    def forward(self, Z: Array, function: str) -> Array:
        return np.asarray(self.function(Z)) if function == "own" else super().forward(Z, function)

    def derivative(self, function: str, Z: Array, A: Array) -> Array:
        return np.asarray(self.slope(Z, A)) if function == "own" else super().derivative(function, Z, A)


class SoftmaxOutput(Student):
    """Softmax before the mean of (a − y)² over n and K; `diagonal` alone or the whole Jacobian."""

    def __init__(self, *, diagonal: bool) -> None:
        self.diagonal = diagonal

    def loss(self, e: Exercise, A: Array) -> float:
        return float(np.mean((A - e.Y) ** 2))

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        G = 2 * (A - e.Y) / A.size
        return A * (1 - A) * G if self.diagonal else A * (G - (A * G).sum(axis=1, keepdims=True))


class BinaryOnSoftmax(Student):
    """−Σ y log a + (1 − y) log(1 − a) after a softmax, with the whole Jacobian."""

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        G = (A - e.Y) / (A * (1 - A)) / e.examples
        return np.asarray(A * (G - (A * G).sum(axis=1, keepdims=True)))
