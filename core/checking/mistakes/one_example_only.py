"""last-example-only, first-example-only: a gradient that the loop over the batch overwrote."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _OneExampleOnly(Mistake):
    """The gradient of a single example where the batch's belongs."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    unseen = "there is one example"
    wrong = r"\texttt{dW = } \dots \text{ instead of } \texttt{dW += } \dots \text{ in the loop over the examples}"
    which: ClassVar[int]

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.deltas[quantity.layer].ndim > 1

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        alone = np.zeros_like(trace.deltas[layer])
        alone[self.which] = trace.deltas[layer][self.which]
        return super().data_gradient(trace.with_delta(layer, alone), layer, parameter)


class LastExampleOnly(_OneExampleOnly):
    """The last example's."""

    slug = "last-example-only"
    said = "is that of the last example alone"
    why = "The gradient of a batch is the sum over its examples. Here each example overwrote the one before it."
    which = -1


class FirstExampleOnly(_OneExampleOnly):
    """The first example's."""

    slug = "first-example-only"
    said = "is that of the first example alone"
    why = "The gradient of a batch is the sum over its examples; here only the first one was used."
    which = 0
