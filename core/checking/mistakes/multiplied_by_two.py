"""multiplied-by-two."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.quantity import Quantity
from core.checking.trace import Trace


def is_distance(trace: Trace) -> bool:
    """Return True if the loss is a distance of output and target, of which there are forms with and without ½."""
    return trace.network.objective.loss.measures_distance


class MultipliedByTwo(ConstantFactor):
    """The right rule times 2.0."""

    slug = "multiplied-by-two"
    said = "is exactly 2 times too large"
    wrong = r"2 \cdot \text{(the right value)}"
    why = (
        "The ½ in front of the squared error cancels the 2 of its derivative. Here a factor 2 was kept although the "
        "loss has the ½, or the ½ was left out."
    )
    unseen = "every number here is 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return is_distance(trace)

    def multiplier(self, trace: Trace) -> float:
        return 2.0


class MultipliedByTwoOfAnotherLoss(MultipliedByTwo):
    """The same for a loss without squares."""

    why = (
        "Nothing in this loss gives a factor 2; such a factor comes with the derivative of a squared error. Here "
        "the right value was counted twice, or a 2 was carried over from another loss."
    )

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return not is_distance(trace)
