"""divided-by-batch-size: averaged once too often."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.trace import Trace


class DividedByBatchSize(ConstantFactor):
    """A second 1/n: in the delta and again in the gradient, at every layer, or a mean where a sum belongs."""

    slug = "divided-by-batch-size"
    said = "is exactly $n times too small (n = $n)"
    wrong = r"\tfrac{1}{n} \cdot \text{(the right value)}"
    why = (
        "1/n was applied here although it had been applied before, or although the rule is a sum over the examples. "
        "It enters once, with the derivative of the mean loss; every later rule only sums."
    )
    unseen = "with one example a sum and a mean are the same"

    def multiplier(self, trace: Trace) -> float:
        return 1 / trace.network.examples
