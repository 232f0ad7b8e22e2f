"""multiplied-by-batch-size: the 1/n of the mean is missing."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.trace import Trace


class MultipliedByBatchSize(ConstantFactor):
    """∂L/∂θ of a mean without its 1/n: a sum where a mean was asked for."""

    slug = "multiplied-by-batch-size"
    said = "is exactly $n times too large (n = $n)"
    wrong = r"n \cdot \text{(the right value)}"
    why = (
        "The loss is the mean over the $n examples, so the gradient contains 1/n exactly once. Here it is missing: "
        "the examples were summed instead of averaged."
    )
    unseen = "with one example a sum and a mean are the same"

    def multiplier(self, trace: Trace) -> float:
        return float(trace.network.examples)
