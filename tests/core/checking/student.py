"""A student: a hand-written backpropagation of dense networks, in which one line after another can be wrong.

It owes nothing to the code under test: the formulas are written out, in the row convention; `written` brings what it
computes to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checking import Checker, Report, SubmissionSpec, Tolerance
from core.convention import Convention
from core.layers import KINDS
from core.losses import LOSSES
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

Array = NDArray[np.float64]
FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "sigmoid": (lambda z: np.exp(-np.logaddexp(0, -z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(float)),
    "identity": (lambda z: z, lambda z, a: np.ones_like(z)),
}


@dataclass
class Exercise:
    """A network with numbers, as a student has them on the desk."""

    widths: Sequence[int]
    functions: Sequence[str]
    examples: int = 5
    loss: str = "half_squared_error"
    reduction: str = "mean"
    l2: float = 0.0
    seed: int = 0
    scale: float = 1.0
    X: Array = field(init=False)
    Y: Array = field(init=False)
    W: list[Array] = field(init=False)
    b: list[Array] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.X = rng.standard_normal((self.examples, self.widths[0]))
        self.W = [
            self.scale * rng.standard_normal(shape) for shape in zip(self.widths[:-1], self.widths[1:], strict=True)
        ]
        self.b = [self.scale * rng.standard_normal(width) for width in self.widths[1:]]
        self.Y = rng.random((self.examples, self.widths[-1]))
        if self.loss == "cross_entropy":
            self.Y = np.eye(self.widths[-1])[rng.integers(self.widths[-1], size=self.examples)]

    def problem(self, convention: Convention = "row", **more: Any) -> Problem:
        """The same for the core."""
        return validate(self.sent(convention, **more))

    def sent(self, convention: Convention = "row", **more: Any) -> ProblemSpec:
        """The same in the words of a request."""
        dense: Any = KINDS["dense"]
        layers = [dense(units=u, activation=f) for u, f in zip(self.widths[1:], self.functions, strict=True)]
        loss: Any = LOSSES[self.loss]
        data = np.transpose if convention == "column" else np.asarray
        weight = np.asarray if convention == "row" else np.transpose
        return ProblemSpec(
            layers=layers,
            inputs={"input": data(self.X)},
            parameters={
                str(k + 1): {"weight": weight(W), "bias": b}
                for k, (W, b) in enumerate(zip(self.W, self.b, strict=True))
            },
            targets=data(self.Y),
            loss=loss(reduction=self.reduction, l2=self.l2),
            convention=convention,
            **more,
        )


@dataclass
class Solution:
    """What a program computed: lists by layer, in the row convention."""

    loss: float
    Z: list[Array]
    A: list[Array]
    D: list[Array]
    dW: list[Array]
    db: list[Array]
    dX: Array

    def submission(self, *parts: str, convention: Convention = "row") -> SubmissionSpec:
        """These parts of it, as a convention writes them."""
        data = np.transpose if convention == "column" else np.asarray
        weight = np.asarray if convention == "row" else np.transpose

        def by_layer(arrays: Sequence[Array]) -> dict[str, Array]:
            return {str(k + 1): data(array) if array.ndim == 2 else array for k, array in enumerate(arrays)}

        found: dict[str, Any] = {}
        for part in parts:
            match part:
                case "loss" if np.isfinite(self.loss):  # A saturated output has none in plain formulas.
                    found[part] = self.loss
                case "preactivations":
                    found[part] = by_layer(self.Z)
                case "activations":
                    found[part] = by_layer(self.A[1:])
                case "deltas":
                    found[part] = by_layer(self.D)
                case "gradients":
                    found[part] = {
                        str(k + 1): {"weight": weight(dW) if dW.ndim == 2 else dW, "bias": db}
                        for k, (dW, db) in enumerate(zip(self.dW, self.db, strict=True))
                    }
                case "input_gradient":
                    found[part] = {"input": data(self.dX)}
        return SubmissionSpec(**found)


class Student:
    """The right program; a mistake is a subclass with one line changed."""

    def forward(self, Z: Array, function: str) -> Array:
        if function == "softmax":
            e = np.exp(Z - Z.max(axis=1, keepdims=True))
            return np.asarray(e / e.sum(axis=1, keepdims=True))
        return FUNCTIONS[function][0](Z)

    def preactivation(self, A: Array, W: Array, b: Array) -> Array:
        return A @ W + b

    def loss(self, e: Exercise, A: Array) -> float:
        match e.loss:
            case "half_squared_error":
                total = 0.5 * np.sum((A - e.Y) ** 2)
            case "cross_entropy":
                with np.errstate(divide="ignore", invalid="ignore"):
                    total = -np.sum(e.Y * np.log(A))
            case _:
                with np.errstate(divide="ignore", invalid="ignore"):
                    total = -np.sum(e.Y * np.log(A) + (1 - e.Y) * np.log(1 - A))
        penalty = 0.5 * e.l2 * sum(float(np.sum(W**2)) for W in e.W)
        return float(total / (e.examples if e.reduction == "mean" else 1) + penalty)

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        share = e.examples if e.reduction == "mean" else 1
        if e.loss == "half_squared_error":
            return (A - e.Y) * self.derivative(e.functions[-1], Z, A) / share
        return (A - e.Y) / share

    def derivative(self, function: str, Z: Array, A: Array) -> Array:
        return FUNCTIONS[function][1](Z, A)

    def back(self, D: Array, W: Array) -> Array:
        return D @ W.T

    def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
        return self.back(D, e.W[k + 1]) * self.derivative(e.functions[k], Z, A)

    def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
        return A_in.T @ D + e.l2 * e.W[k]

    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return np.asarray(D.sum(axis=0))

    def solve(self, e: Exercise) -> Solution:
        Z: list[Array] = []
        A = [e.X]
        for W, b, function in zip(e.W, e.b, e.functions, strict=True):
            Z.append(self.preactivation(A[-1], W, b))
            A.append(self.forward(Z[-1], function))
        D = [self.output_delta(e, Z[-1], A[-1])]
        for k in range(len(e.W) - 2, -1, -1):
            D.insert(0, self.hidden_delta(e, k, D[0], Z[k], A[k + 1]))
        Z_in = [e.X, *Z]
        dW = [self.weight_gradient(e, k, A[k], D[k], Z_in[k], A[k + 1]) for k in range(len(e.W))]
        db = [self.bias_gradient(e, k, D[k]) for k in range(len(e.W))]
        return Solution(self.loss(e, A[-1]), Z, A, D, dW, db, D[0] @ e.W[0].T)


def examined(problem: Problem, submission: SubmissionSpec | None, *dtypes: str, **tolerance: float) -> Report:
    """The report of a submission."""
    return Checker(problem, lambda: None).report(submission, set(dtypes), Tolerance(**tolerance))


PARTS = ("loss", "preactivations", "activations", "deltas", "gradients", "input_gradient")
