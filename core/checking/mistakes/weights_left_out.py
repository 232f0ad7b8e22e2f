"""weights-left-out: the delta of the layer above is taken as it is."""

from __future__ import annotations

from core.arrays import Array
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.trace import Trace


class WeightsLeftOut(WrongRecursion):
    """Δ_l = Δ_m ∘ f'(Z_l), without W_m between them; it only runs where the widths are equal."""

    slug = "weights-left-out"
    said = "takes the delta of layer '$above' without multiplying it by that layer's weights"
    wrong = r"\delta_l = \delta_m \circ f'(Z_l)"
    why = (
        "Each unit contributes to layer '$above' in proportion to its weights, so by the chain rule the delta of "
        "layer '$above' is multiplied by those weights on its way back."
    )
    unseen = "the weights are the identity matrix"

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        return D if W.shape[0] == W.shape[1] else None
