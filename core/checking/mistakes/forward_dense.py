"""The mistakes in Z = A W + b."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class BiasLeftOut(Mistake):
    """Z = A W."""

    slug = "bias-left-out"
    strikes: ClassVar[tuple[str, ...]] = ("preactivations",)
    said = "lacks the bias"
    wrong = r"Z = \ahead{A}{W}"
    why = "Every unit adds its bias to the weighted sum of its inputs."
    unseen = "the biases are 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        node = trace.network.nodes[quantity.layer]
        return bool(node.layer.feedback_weight) and "bias" in node.parameters

    def preactivation(self, trace: Trace, layer: str) -> Array:
        found = super().preactivation(trace, layer)
        bias = trace.parameters(layer).get("bias")
        return found if bias is None or not trace.network.multiplies_by_weight(layer) else found - bias


class ForwardWeightsTransposed(Mistake):
    """Z = A Wᵀ + b for a square W."""

    slug = "forward-weights-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("preactivations",)
    said = "uses W with its two axes exchanged"
    wrong = r"Z = \back{A}{W} + \foreveryexample{b}"
    why = (
        "A square W and its transpose have the same shape, so no error is raised. The convention of the request "
        "says which axis is the input; here the two axes are swapped."
    )
    unseen = "W is symmetric"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        node = trace.network.nodes[quantity.layer]
        shape = trace.parameters(quantity.layer)["weight"].shape if node.layer.feedback_weight else (0, 1)
        return bool(shape[0] == shape[1])

    def preactivation(self, trace: Trace, layer: str) -> Array:
        W = trace.parameters(layer).get("weight")
        found = super().preactivation(trace, layer)
        if not trace.network.multiplies_by_weight(layer) or W is None or W.shape[0] != W.shape[1]:
            return found
        (A,) = trace.read_by(layer)
        return np.asarray(found - A @ W + A @ W.T)
