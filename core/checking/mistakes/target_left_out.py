"""target-left-out: a delta without the target in it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.formulas import loss_gradient
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class TargetLeftOut(Mistake):
    """A instead of A − Y."""

    slug = "target-left-out"
    strikes: ClassVar[tuple[str, ...]] = ("deltas",)
    said = "does not contain the target"
    wrong = r"\delta = c \, A \circ \dots \quad \text{instead of} \quad c \, (A - Y) \circ \dots"
    why = "The derivative of the loss contains the difference a − y of output and target; here y is missing."
    unseen = "all targets are 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        kind = trace.network.objective.loss.kind
        entropies = ("cross_entropy", "softmax_cross_entropy")
        squares = ("half_squared_error", "mean_squared_error", "binary_cross_entropy", "sigmoid_cross_entropy")
        return quantity.layer == trace.network.last and kind in (*entropies, *squares)

    def output_delta(self, trace: Trace) -> Array:
        network, objective = trace.network, trace.network.objective
        last = network.last
        fused = objective.loss.on_logits(network.nodes[last].function)
        if fused is not None:
            right = super().output_delta(trace)
            shares = objective.coefficients.reshape(-1, *(1 for _ in right.shape[1:]))
            return np.asarray(right + shares * objective.targets)
        blank = replace(objective, targets=np.zeros_like(objective.targets))
        dA = loss_gradient(objective.loss, blank, trace.activations[last])
        return self.through_activation(trace, last, dA)
