"""The mistakes in the value of the loss that are more than a factor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class LossWithoutPenalty(Mistake):
    """The data's loss alone."""

    slug = "loss-without-penalty"
    strikes: ClassVar[tuple[str, ...]] = ("loss",)
    said = "lacks the l2 penalty ½ λ ‖W‖²"
    wrong = r"L = \text{the loss of the data}"
    why = "The loss of the request has an l2 term, which is added after the mean or sum over the examples."
    unseen = "the weights are 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.network.objective.loss.l2 > 0

    def penalty(self, trace: Trace) -> Any:
        return 0.0


class LossInBits(Mistake):
    """log₂ instead of ln."""

    slug = "loss-in-bits"
    strikes: ClassVar[tuple[str, ...]] = ("loss",)
    said = "is computed with logarithms to base 2"
    wrong = r"-\sum_k y_k \log_2 a_k"
    why = (
        "The gradient a − y is that of a loss with the natural logarithm. With base 2 the loss is 1/ln 2 = 1.4427 "
        "times as large."
    )

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return "entropy" in trace.network.objective.loss.kind

    def loss(self, trace: Trace) -> Array:
        penalty = self.penalty(trace)
        return np.asarray((super().loss(trace) - penalty) / np.log(2) + penalty)
