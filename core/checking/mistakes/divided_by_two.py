"""divided-by-two."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
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

    def multiplier(self, trace: Trace) -> float:
        return 0.5
