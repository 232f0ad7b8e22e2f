"""flatten-order: images read by columns forward and by rows backward, or the other way round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from core.arrays import Array
from core.checking.layer_rules import LayerRules
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class FlattenOrder(OfKind):
    """The other order of the numbers of an example."""

    slug = "flatten-order"
    kinds = ("flatten",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "preactivations")
    said = "has its numbers in another order: flattened by columns instead of rows, or by rows instead of columns"
    wrong = r"\mathrm{reshape}(\delta) \text{ in the other order}"
    why = (
        "NumPy flattens row by row (C order); MATLAB and some derivations flatten column by column. The forward and "
        "the backward pass have to use the same order."
    )
    unseen = "each map is a single row or column"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        other = self._other(trace, layer)
        return None if other is None else other.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]

    def forward(self, trace: Trace, layer: str) -> Array | None:
        other = self._other(trace, layer)
        return None if other is None else other.result(trace.read_by(layer))

    def _other(self, trace: Trace, layer: str) -> LayerRules | None:
        kind: Any = trace.network.nodes[layer].layer
        if trace.read_by(layer)[0].ndim < 3:
            return None
        return trace.network.variant(
            layer, kind=replace(kind, order="row_major" if kind.order == "column_scan" else "column_scan")
        )
