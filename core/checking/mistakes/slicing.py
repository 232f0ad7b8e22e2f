"""The mistakes in slice: the deltas arrive at other positions."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class _Moved(OfKind):
    """∂L/∂X with the deltas at other positions."""

    kinds = ("slice",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    why = "Z = S X, so the gradient of x is Sᵀ δ: each chosen position receives its own delta, the others 0."

    def moved(self, chosen: Array, length: int) -> Array:
        """Return the positions at which the deltas arrive."""
        raise NotImplementedError

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        (X,), kind = trace.read_by(layer), trace.network.nodes[layer].layer
        of_slice: Any = kind
        axis = of_slice.core_axis(X.shape, trace.network.convention == "column")
        chosen = np.arange(X.shape[axis])[of_slice.start : of_slice.stop : of_slice.step]
        arrives = self.moved(chosen, X.shape[axis])
        if arrives.min() < 0 or arrives.max() >= X.shape[axis]:
            return None
        found = np.zeros_like(X)
        deltas = trace.deltas[layer]
        np.moveaxis(found, axis, 0)[arrives] = (
            np.moveaxis(deltas, axis, 0) if of_slice.keep_axis else deltas[np.newaxis]
        )
        return found


class SliceAtBeginning(_Moved):
    """The deltas at the first positions."""

    slug = "slice-at-beginning"
    said = "has the deltas of layer '$above' at the first positions of the axis instead of the chosen ones"
    wrong = r"\texttt{dX[:k] = D}"
    unseen = "the first positions are the chosen ones"

    def moved(self, chosen: Array, length: int) -> Array:
        return np.arange(len(chosen))


class SliceAtNextPosition(_Moved):
    """The deltas one position later, as counted from 1."""

    slug = "slice-at-next-position"
    said = "has the deltas of layer '$above' one position after the chosen ones"
    wrong = r"\texttt{dX[start + 1:stop + 1] = D}"
    unseen = "the range ends at the last position"

    def moved(self, chosen: Array, length: int) -> Array:
        return chosen + 1


class SliceAtPositionBefore(_Moved):
    """The deltas one position earlier."""

    slug = "slice-at-position-before"
    said = "has the deltas of layer '$above' one position before the chosen ones"
    wrong = r"\texttt{dX[start - 1:stop - 1] = D}"
    unseen = "the range starts at the first position"

    def moved(self, chosen: Array, length: int) -> Array:
        return chosen - 1


SLICING: tuple[type[Mistake], ...] = (SliceAtBeginning, SliceAtNextPosition, SliceAtPositionBefore)
"""Every one of them."""
