"""integer-labels: the class number subtracted where a one-hot row belongs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.formulas import loss_gradient
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class IntegerLabels(Mistake):
    """A − y with y the number of the class, broadcast over all outputs."""

    slug = "integer-labels"
    strikes: ClassVar[tuple[str, ...]] = ("deltas",)
    said = "subtracts the class number from every output, instead of 1 from the output of that class"
    wrong = r"\delta = c \, (A - \foreveryunit{y}), \quad y \in \{0, \dots, K - 1\}"
    why = (
        "The targets of a classifier are one-hot rows. A column of class numbers is broadcast over the outputs "
        "without an error, and gives wrong targets."
    )
    prelude = "Y = np.eye($K)[np.ravel(y)]$turned"
    unseen = "the class numbers are 0 and 1 and happen to agree with the one-hot targets"
    first: ClassVar[int] = 0

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        objective = trace.network.objective
        Y = objective.targets
        one_hot = Y.ndim == 2 and Y.shape[1] > 1 and bool(np.all((Y == 0) | (Y == 1)) and np.all(Y.sum(axis=1) == 1))
        return quantity.layer == trace.network.last and objective.loss.takes_class_indices and one_hot

    def output_delta(self, trace: Trace) -> Array:
        objective, last = trace.network.objective, trace.network.last
        fused = objective.loss.on_logits(trace.network.nodes[last].function)
        if fused is None:
            return super().output_delta(trace)
        A, Y = trace.activations[last], objective.targets
        right = loss_gradient(fused, objective, trace.preactivations[last], A)
        numbers = Y.argmax(axis=1)[:, np.newaxis] + self.first
        return np.asarray(right + objective.coefficients[:, np.newaxis] * (Y - numbers))


class IntegerLabelsFromOne(IntegerLabels):
    """The same with classes counted from 1."""

    first = 1
    prelude = "Y = np.eye($K)[np.ravel(y) - 1]$turned"
