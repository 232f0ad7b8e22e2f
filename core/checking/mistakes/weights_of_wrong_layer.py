"""weights-of-wrong-layer: the layer's own weights on the way back."""

from __future__ import annotations

from core.arrays import Array
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.trace import Trace


class WeightsOfWrongLayer(WrongRecursion):
    """Δ_l = (Δ_m W_lᵀ) ∘ f'(Z_l): W of the layer below instead of W of the layer above."""

    slug = "weights-of-wrong-layer"
    said = "comes back through the weights of its own layer instead of those of layer '$above'"
    wrong = r"\delta_l = (\back{\delta_m}{W_l}) \circ f'(Z_l)"
    why = (
        "The index of W is one too low: the delta comes back through the weights that the forward pass used next, "
        "those of layer '$above'."
    )

    def sent_back(self, trace: Trace, layer: str, D: Array, W: Array) -> Array | None:
        below = trace.network.nodes[layer].reads[0]
        own = trace.parameters(below).get("weight") if below in trace.network.nodes else None
        return D @ own.T if own is not None and own.shape == W.shape and W.shape[0] == W.shape[1] else None
