"""The mistakes in A = f(Z)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.activations import FUNCTIONS
from core.arrays import Array
from core.checking.layer_rules import activate
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class ActivationLeftOut(Mistake):
    """A = Z."""

    slug = "activation-left-out"
    strikes: ClassVar[tuple[str, ...]] = ("activations",)
    said = "is the preactivation z; its activation function was not applied"
    wrong = r"A = Z"
    why = "The layer's activation is a = $f(z); the layers above read a, not z."
    unseen = "f(z) is z for every number here"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return not trace.network.nodes[quantity.layer].function.is_identity

    def activation(self, trace: Trace, layer: str) -> Array:
        return trace.preactivations[layer]


class SoftmaxOverTheBatch(Mistake):
    """Softmax normalised over the examples."""

    slug = "softmax-over-the-batch"
    strikes: ClassVar[tuple[str, ...]] = ("activations",)
    said = "is normalised over the examples instead of the classes"
    wrong = r"a_{ik} = \frac{e^{z_{ik}}}{\sum_j e^{z_{jk}}}"
    why = "The softmax outputs of one example sum to 1. Here each class sums to 1 over the batch: the axis is wrong."

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.network.nodes[quantity.layer].function.name == "softmax"

    def activation(self, trace: Trace, layer: str) -> Array:
        Z = trace.preactivations[layer]
        exponentials = np.exp(Z - Z.max(axis=0, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=0, keepdims=True))


class AnotherActivation(Mistake):
    """g(Z) instead of f(Z)."""

    slug = "another-activation"
    strikes: ClassVar[tuple[str, ...]] = ("activations",)
    other: ClassVar[str]
    unseen = "both functions are equal at every number of this batch"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        node = trace.network.nodes[quantity.layer]
        possible = FUNCTIONS[self.other].elementwise or len(node.shape) > 1
        return possible and node.function.name != self.other and not node.function.is_identity

    def activation(self, trace: Trace, layer: str) -> Array:
        return activate(FUNCTIONS[self.other](), trace.preactivations[layer])


def _of(name: str) -> type[AnotherActivation]:
    return type(
        f"Activation{name.title().replace('_', '')}",
        (AnotherActivation,),
        {
            "other": name,
            "said": f"is {name} of z, not $f",
            "wrong": rf"A = \mathrm{{{name}}}(Z)".replace("_", r"\_"),
            "why": f"The layer's activation function is $f; {name} was applied.",
        },
    )


OTHER_ACTIVATIONS = tuple(_of(name) for name in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "softmax", "exp"))
"""One for each function."""
