"""The base class of mistakes in the windows of a pooling layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class PooledWindows:
    """The windows of a pooling layer with the numbers in them, offset by offset in row-major order."""

    def __init__(self, kind: Any, X: Array, delta: Array) -> None:
        self.X = X
        self.delta = delta
        self._kind = kind
        self._places = kind.offsets(np.arange(delta.size).reshape(delta.shape), np.arange(X.size).reshape(X.shape))
        self.count: int = len(self._places)
        """k, the size of a window."""
        self.values = np.full((self.count, *delta.shape), -np.inf)
        """The numbers of every window by offset; padding is −∞."""
        for offset, (windows, numbers) in enumerate(self._places):
            self.values[offset].reshape(-1)[windows] = X.reshape(-1)[numbers]
        self._largest = self.values.argmax(axis=0)

    def first(self, offset: int) -> Array:
        """Return for each window whether its largest number, of equal ones the first, is at this offset."""
        return np.asarray(self._largest == offset)

    def inside(self, of_windows: Array, offset: int) -> Array:
        """Return those of an array by window whose number at this offset is not padding."""
        return self._views(of_windows, self.X, offset)[0]

    def numbers(self, of_input: Array, offset: int) -> Array:
        """Return a view of the numbers at this offset in these windows."""
        return self._views(self.delta, of_input, offset)[1]

    def _views(self, of_windows: Array, of_input: Array, offset: int) -> tuple[Array, Array]:
        found: tuple[Array, Array] = self._kind.offsets(of_windows, of_input)[offset]
        return found


class OfPooling(OfKind):
    """∂L/∂X of a pooling layer from its windows in another way."""

    strikes = ("deltas", "input_gradient")

    def possible(self, kind: Any) -> bool:
        """Return True if the fields of the layer allow the mistake."""
        return True

    def through_windows(self, windows: PooledWindows) -> Array:
        """Return the wrong ∂L/∂X."""
        raise NotImplementedError

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        readers = trace.network.readers[quantity.layer]
        return any(self._struck(trace, reader.layer) for reader in readers)

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        if not self._struck(trace, layer):
            return None
        (X,) = trace.read_by(layer)
        return self.through_windows(PooledWindows(trace.network.nodes[layer].layer, X, trace.deltas[layer]))

    def _struck(self, trace: Trace, layer: str) -> bool:
        return self.is_kind(trace, layer) and self.possible(trace.network.nodes[layer].layer)
