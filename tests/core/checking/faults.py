"""Programs with a known mistake in one place, each written out as somebody would have typed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.checking.quantity import Quantity
from tests.core.checking.student import FUNCTIONS, Array, Exercise, Student


@dataclass(frozen=True)
class Fault:
    """A mistake in a program, and where it has to be found."""

    cause: str
    program: Callable[[int], Student]
    """The program that is wrong at a layer, counted from 0."""
    part: str
    """The part whose rule is wrong."""
    name: str = ""
    layers: str = "all"
    """Where it can be made: `all`, `hidden`, `output`, `above first`."""
    loss: str = ""
    """The loss that it needs; any, if it says none."""
    square: bool = False
    """Whether it needs equal widths."""
    batch: bool = False
    """Whether it needs more than one example."""
    l2: bool = False
    """Whether it needs a penalty."""
    functions: str = ""
    """The activation that its layer needs."""
    needs_deltas: bool = False
    """Whether the deltas have to be sent, because the gradients of the layer alone allow another explanation."""

    def places(self, depth: int) -> list[int]:
        """The layers of a network of that depth at which it can be made."""
        return {
            "all": list(range(depth)),
            "hidden": list(range(depth - 1)),
            "output": [depth - 1],
            "above first": list(range(1, depth)),
        }[self.layers]

    def quantity(self, layer: int) -> Quantity:
        """What has to be accused."""
        return Quantity(self.part, "" if self.part == "loss" else str(layer + 1), self.name)


def at_delta(change: Callable[[Exercise, int, Array, Array, Array, Array], Array]) -> Callable[[int], Student]:
    """A program in which the delta of one layer is what `change` makes of (exercise, layer, right, dA, Z, A)."""

    def program(at: int) -> Student:
        class Wrong(Student):
            def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
                right = super().output_delta(e, Z, A)
                share = e.examples if e.reduction == "mean" else 1
                dA = (A - e.Y) / share
                return change(e, at, right, dA, Z, A) if at == len(e.W) - 1 else right

            def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
                right = super().hidden_delta(e, k, D, Z, A)
                return change(e, k, right, D @ e.W[k + 1].T, Z, A) if k == at else right

        return Wrong()

    return program


def at_back(change: Callable[[Exercise, int, Array, Array], Array]) -> Callable[[int], Student]:
    """A program in which the step down to one layer, D Wᵀ, is what `change` makes of (exercise, layer, D, W)."""

    def program(at: int) -> Student:
        class Wrong(Student):
            def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
                if k != at:
                    return super().hidden_delta(e, k, D, Z, A)
                return change(e, k, D, e.W[k + 1]) * self.derivative(e.functions[k], Z, A)

        return Wrong()

    return program


def at_weight(change: Callable[[Exercise, int, Array, Array, Array, Array, Array], Array]) -> Callable[[int], Student]:
    """The same for one weight gradient, from (exercise, layer, right, A_in, D, Z_in, A)."""

    def program(at: int) -> Student:
        class Wrong(Student):
            def weight_gradient(self, e: Exercise, k: int, A_in: Array, D: Array, Z_in: Array, A: Array) -> Array:
                right = super().weight_gradient(e, k, A_in, D, Z_in, A)
                return change(e, k, right, A_in, D, Z_in, A) if k == at else right

        return Wrong()

    return program


def at_bias(change: Callable[[Exercise, int, Array, Array], Array]) -> Callable[[int], Student]:
    """The same for one bias gradient, from (exercise, layer, right, D)."""

    def program(at: int) -> Student:
        class Wrong(Student):
            def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
                right = super().bias_gradient(e, k, D)
                return change(e, k, right, D) if k == at else right

        return Wrong()

    return program


def at_loss(change: Callable[[Exercise, float], float]) -> Callable[[int], Student]:
    """The same for the loss."""

    def program(at: int) -> Student:
        class Wrong(Student):
            def loss(self, e: Exercise, A: Array) -> float:
                return change(e, super().loss(e, A))

        return Wrong()

    return program


def derivative(e: Exercise, k: int, Z: Array, A: Array) -> Array:
    return FUNCTIONS[e.functions[k]][1](Z, A)


def function(e: Exercise, k: int, Z: Array) -> Array:
    return FUNCTIONS[e.functions[k]][0](Z)


def labels(e: Exercise) -> Array:
    return np.asarray(e.Y.argmax(axis=1)[:, np.newaxis].astype(float))


FAULTS = [
    Fault("multiplied-by-batch-size", at_delta(lambda e, k, d, dA, Z, A: d * e.examples), "deltas", batch=True),
    Fault("divided-by-batch-size", at_delta(lambda e, k, d, dA, Z, A: d / e.examples), "deltas", batch=True),
    Fault("sign-flipped", at_delta(lambda e, k, d, dA, Z, A: -d), "deltas"),
    Fault("multiplied-by-two", at_delta(lambda e, k, d, dA, Z, A: 2 * d), "deltas"),
    Fault("divided-by-two", at_delta(lambda e, k, d, dA, Z, A: d / 2), "deltas"),
    Fault("missing-activation-derivative", at_delta(lambda e, k, d, dA, Z, A: dA), "deltas", layers="hidden"),
    Fault(
        "missing-activation-derivative",
        at_delta(lambda e, k, d, dA, Z, A: dA),
        "deltas",
        layers="output",
        loss="half_squared_error",
    ),
    Fault(
        "derivative-at-activation",
        at_delta(lambda e, k, d, dA, Z, A: dA * derivative(e, k, A, function(e, k, A))),
        "deltas",
        layers="hidden",
        functions="sigmoid tanh",
    ),
    Fault(
        "derivative-formula-of-preactivation",
        at_delta(lambda e, k, d, dA, Z, A: dA * derivative(e, k, Z, Z)),
        "deltas",
        layers="hidden",
        functions="sigmoid tanh",
    ),
    Fault(
        "derivative-applied-twice",
        at_delta(lambda e, k, d, dA, Z, A: d * derivative(e, k, Z, A)),
        "deltas",
        layers="hidden",
        functions="sigmoid tanh",
    ),
    Fault(
        "softmax-diagonal-applied-again",
        at_delta(lambda e, k, d, dA, Z, A: d * A * (1 - A)),
        "deltas",
        layers="output",
        loss="cross_entropy",
    ),
    Fault(
        "derivative-applied-twice",
        at_delta(lambda e, k, d, dA, Z, A: A * (d - (A * d).sum(axis=1, keepdims=True))),
        "deltas",
        layers="output",
        loss="cross_entropy",
    ),
    Fault(
        "softmax-jacobian-diagonal",
        at_delta(lambda e, k, d, dA, Z, A: -e.Y / A * A * (1 - A) / (e.examples if e.reduction == "mean" else 1)),
        "deltas",
        layers="output",
        loss="cross_entropy",
    ),
    Fault(
        "integer-labels",
        at_delta(lambda e, k, d, dA, Z, A: (A - labels(e)) / (e.examples if e.reduction == "mean" else 1)),
        "deltas",
        layers="output",
        loss="cross_entropy",
    ),
    Fault(
        "derivative-of-another-function",
        at_delta(lambda e, k, d, dA, Z, A: dA * A * (1 - A)),
        "deltas",
        layers="hidden",
        functions="tanh",
    ),
    Fault("weights-not-transposed", at_back(lambda e, k, D, W: D @ W), "deltas", layers="hidden", square=True),
    Fault("weights-left-out", at_back(lambda e, k, D, W: D), "deltas", layers="hidden", square=True),
    Fault("weights-of-wrong-layer", at_back(lambda e, k, D, W: D @ e.W[k].T), "deltas", layers="hidden", square=True),
    Fault("outer-product-transposed", at_weight(lambda e, k, g, a, D, z, A: g.T), "gradients", "weight", square=True),
    Fault(
        "own-output-instead-of-input",
        at_weight(lambda e, k, g, a, D, z, A: A.T @ D + e.l2 * e.W[k]),
        "gradients",
        "weight",
        square=True,
    ),
    Fault(
        "preactivation-instead-of-activation",
        at_weight(lambda e, k, g, a, D, z, A: z.T @ D + e.l2 * e.W[k]),
        "gradients",
        "weight",
        layers="above first",
        functions="below",
    ),
    Fault(
        "network-input-instead-of-activation",
        at_weight(lambda e, k, g, a, D, z, A: e.X.T @ D + e.l2 * e.W[k]),
        "gradients",
        "weight",
        layers="above first",
        square=True,
    ),
    Fault(
        "last-example-only",
        at_weight(lambda e, k, g, a, D, z, A: a[-1:].T @ D[-1:] + e.l2 * e.W[k]),
        "gradients",
        "weight",
        batch=True,
    ),
    Fault(
        "multiplied-by-batch-size",
        at_weight(lambda e, k, g, a, D, z, A: e.examples * a.T @ D + e.l2 * e.W[k]),
        "gradients",
        "weight",
        batch=True,
    ),
    Fault("sign-flipped", at_weight(lambda e, k, g, a, D, z, A: -a.T @ D + e.l2 * e.W[k]), "gradients", "weight"),
    Fault("penalty-missing", at_weight(lambda e, k, g, a, D, z, A: a.T @ D), "gradients", "weight", l2=True),
    Fault(
        "penalty-doubled",
        at_weight(lambda e, k, g, a, D, z, A: a.T @ D + 2 * e.l2 * e.W[k]),
        "gradients",
        "weight",
        l2=True,
    ),
    Fault(
        "penalty-divided-by-batch-size",
        at_weight(lambda e, k, g, a, D, z, A: a.T @ D + e.l2 / e.examples * e.W[k]),
        "gradients",
        "weight",
        l2=True,
        batch=True,
    ),
    Fault("penalty-of-another-size", at_weight(lambda e, k, g, a, D, z, A: g + 0.037 * e.W[k]), "gradients", "weight"),
    Fault("multiplied-by-batch-size", at_bias(lambda e, k, g, D: g * e.examples), "gradients", "bias", batch=True),
    Fault("divided-by-batch-size", at_bias(lambda e, k, g, D: D.mean(axis=0)), "gradients", "bias", batch=True),
    Fault("bias-gradient-not-summed", at_bias(lambda e, k, g, D: D), "gradients", "bias", batch=True),
    Fault("bias-gradient-over-wrong-axis", at_bias(lambda e, k, g, D: D.sum(axis=1)), "gradients", "bias", batch=True),
    Fault("last-example-only", at_bias(lambda e, k, g, D: D[-1]), "gradients", "bias", batch=True),
    Fault("penalty-on-bias", at_bias(lambda e, k, g, D: g + 0.1 * e.b[k]), "gradients", "bias"),
    Fault("multiplied-by-batch-size", at_loss(lambda e, loss: loss * e.examples), "loss", layers="output", batch=True),
    Fault("sign-flipped", at_loss(lambda e, loss: -loss), "loss", layers="output"),
    Fault(
        "loss-without-penalty",
        at_loss(lambda e, loss: loss - 0.5 * e.l2 * sum(float(np.sum(W**2)) for W in e.W)),
        "loss",
        layers="output",
        l2=True,
    ),
]
"""Known mistakes of dense networks, as programs."""
