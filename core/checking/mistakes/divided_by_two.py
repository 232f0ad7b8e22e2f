"""divided-by-two."""

from __future__ import annotations

from core.checking.mistakes.multiplied_by_two import is_distance
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class DividedByTwo(ConstantFactor):
    """The right rule times 0.5."""

    slug = "divided-by-two"
    said = "is exactly half of what it should be"
    wrong = r"\tfrac{1}{2} \cdot \text{(the right value)}"
    why = (
        "The derivative of a square has a factor 2. It was left out although the loss has no ½ that cancels it, or a "
        "½ was applied twice."
    )
    unseen = "every number here is 0"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return is_distance(trace)

    def multiplier(self, trace: Trace) -> float:
        return 0.5


class DividedByTwoOfAnotherLoss(DividedByTwo):
    """The same for a loss without squares."""

    why = (
        "This loss has no ½, and no square whose 2 a ½ would cancel. A ½ of a squared error was carried over, or the "
        "right value was averaged over two numbers."
    )

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return not is_distance(trace)
