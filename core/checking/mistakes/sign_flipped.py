"""sign-flipped."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.trace import Trace


class SignFlipped(ConstantFactor):
    """The right rule times -1.0."""

    slug = "sign-flipped"
    said = "has the opposite sign"
    wrong = r"-\text{(the right value)}"
    why = (
        "a − y was written as y − a, or the update −η ∂L/∂W was sent in place of the gradient. The gradient points "
        "uphill; the minus sign belongs in the update, once."
    )
    unseen = "every number here is 0"

    def multiplier(self, trace: Trace) -> float:
        return -1.0
