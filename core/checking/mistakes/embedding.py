"""repeated-rows-overwritten: an embedding's gradient where a class occurs twice."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class RepeatedRowsOverwritten(OfKind):
    """dW[x] = Δ, or dW[x] += Δ with an index array: of equal classes only the last one counts."""

    slug = "repeated-rows-overwritten"
    kinds = ("embedding",)
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "keeps only the last delta in the row of a class that occurs more than once"
    wrong = r"\texttt{dW[x] += D}"
    why = (
        "With repeated indices, NumPy's dW[x] += D keeps only the last addition to each row. np.add.at(dW, x, D) "
        "adds all of them."
    )
    unseen = "no class occurs twice in this batch"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        (X,) = trace.read_by(layer)
        W, delta = trace.parameters(layer)[parameter], trace.deltas[layer]
        found = np.zeros_like(W)
        found[X.astype(int).ravel()] = delta.reshape(-1, W.shape[1])
        return found
