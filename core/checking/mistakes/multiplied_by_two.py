"""multiplied-by-two."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.trace import Trace


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

    def multiplier(self, trace: Trace) -> float:
        return 2.0
