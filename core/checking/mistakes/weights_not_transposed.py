"""weights-not-transposed: W instead of Wᵀ on the way back."""

from __future__ import annotations

from core.arrays import Array
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.trace import Trace


class WeightsNotTransposed(WrongRecursion):
    """Δ W instead of Δ Wᵀ; it only runs where W is square."""

    slug = "weights-not-transposed"
    said = "goes back through W of layer '$above' as it is, not transposed"
    wrong = r"\frac{\partial L}{\partial A} = \delta W \quad \text{instead of} \quad \delta W^\top"
    why = (
        "Forward, W takes activations up; the error goes down through its transpose. With as many inputs as units both "
        "products have the right shape, and nothing complains."
    )
    unseen = "W is symmetric"

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        return D @ W if W.shape[0] == W.shape[1] else None
