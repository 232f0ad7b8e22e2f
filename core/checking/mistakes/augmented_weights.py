"""wrong-bias-row-removed: another row than the bias taken out of the augmented weights on the way back."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.recursion import WrongRecursion
from core.checking.quantity import Quantity
from core.checking.trace import Trace

WIDEST = 12
"""Rows that are tried, from either end: the first and the last are what an index that is off by one removes."""


class WrongRowRemoved(WrongRecursion):
    """Δ W'ᵀ with W' = [W; bᵀ] without the row of one unit instead of without bᵀ."""

    slug = "wrong-bias-row-removed"
    alone = True
    removed: ClassVar[int]
    """The row of [W; bᵀ] that is taken out."""
    bias_first: ClassVar[bool] = False
    """True for [bᵀ; W]."""
    said = "comes back through the weights of layer '$above' with their biases, from which another row was removed"
    wrong = (
        r"\frac{\partial L}{\partial A} = \back{\delta}{W'}, \quad W' = (W, b) \text{ without other weights than } b"
    )
    why = (
        "Where the bias is a row (or column) of the weight matrix, exactly that row is left out on the way back: the "
        "constant input 1 is no unit that receives a delta. With another row left out, the units behind it receive "
        "the gradient of their neighbours."
    )
    unseen = "neighbouring rows of the weights are equal"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        readers = (reader.layer for reader in trace.network.readers[quantity.layer])
        return any(
            trace.network.multiplies_by_weight(layer)
            and layer in trace.deltas
            and "bias" in trace.parameters(layer)
            and self.removed < len(trace.parameters(layer)["weight"])
            for layer in readers
        )

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        if not trace.network.multiplies_by_weight(layer):
            return super().through_layer(trace, layer, position)
        W, b = trace.parameters(layer)["weight"], trace.parameters(layer).get("bias")
        if b is None or self.removed >= len(W):
            return super().through_layer(trace, layer, position)
        kept = np.delete(np.vstack([b, W]), self.removed + 1, axis=0) if self.bias_first else self._without(W, b)
        return np.asarray(trace.deltas[layer] @ kept.T)

    def _without(self, W: Array, b: Array) -> Array:
        return np.delete(np.vstack([W, b]), self.removed, axis=0)


def _of(row: int, bias_first: bool) -> type[WrongRowRemoved]:
    fields = {"removed": row, "bias_first": bias_first, "__doc__": WrongRowRemoved.__doc__}
    return type(f"WrongRowRemoved{row}{'BiasFirst' if bias_first else ''}", (WrongRowRemoved,), fields)


ROWS = tuple(_of(row, bias_first) for bias_first in (False, True) for row in range(WIDEST))
"""One for each row and each place of the bias."""
