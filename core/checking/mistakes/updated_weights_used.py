"""updated-weights-used: the layer above was updated before its error went down."""

from __future__ import annotations

from core.arrays import Array
from core.checking.formulas import RIGHT
from core.checking.mistakes.base import Fitted
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.trace import Trace


class UpdatedWeightsUsed(WrongRecursion, Fitted):
    """Δ (W − η ∂L/∂W)ᵀ: the weights that went forward are gone when the error comes back."""

    slug = "updated-weights-used"
    said = "comes back through the weights of layer '$above' after their update (learning rate $factor)"
    wrong = r"\frac{\partial L}{\partial A} = \back{\delta}{W - \eta \frac{\partial L}{\partial W}}"
    why = (
        "All gradients are derivatives at one point, the weights of the forward pass. Compute every delta first and "
        "then update all weights, or keep a copy of the old weights until the backward pass is over."
    )
    unseen = "the gradient of the weights above is 0"

    def accepts(self, trace: Trace, factor: float) -> bool:
        return factor > 1e-6

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        return D @ (W - self.factor * RIGHT.gradient(trace, layer, "weight")).T
