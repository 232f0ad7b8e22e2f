"""weights-not-transposed: W instead of Wᵀ on the way back."""

from __future__ import annotations

from core.arrays import Array
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.trace import Trace


class WeightsNotTransposed(WrongRecursion):
    """Δ W instead of Δ Wᵀ; it only runs where W is square."""

    slug = "weights-not-transposed"
    said = "goes back through the weights of layer '$above' without transposing them"
    wrong = r"\frac{\partial L}{\partial A} = \backwrong{\delta}{W} \quad \text{instead of} \quad \back{\delta}{W}"
    why = (
        "The backward pass multiplies by the transpose of the matrix by which the forward pass multiplies. If the layer "
        "has as many inputs as units, both products have the same shape and no error is raised."
    )
    unseen = "W is symmetric"

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        return D @ W if W.shape[0] == W.shape[1] else None
