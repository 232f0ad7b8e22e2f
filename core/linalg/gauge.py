"""The gauge of a decomposition: the sign of every vector, which the decomposition leaves open."""

from __future__ import annotations

import numpy as np

from core.arrays import Array, real

ALMOST_LARGEST = 0.999
"""Components within this share of the largest count as largest, so that rounding does not choose among equal ones."""


def signs(vectors: Array) -> Array:
    """Return ±1 for every column, so that its first largest component (by magnitude) is positive; shape (…, 1, columns)."""
    seen = real(vectors)
    above, below = seen.max(axis=-2, keepdims=True), -seen.min(axis=-2, keepdims=True)
    leading = above - below
    close = np.minimum(above, below) >= ALMOST_LARGEST * np.maximum(above, below)
    if close.any():  # There, largest components of both signs occur, and the first of them counts.
        columns = seen.swapaxes(-1, -2)[close[..., 0, :]]
        size = np.abs(columns)
        first = (size >= ALMOST_LARGEST * size.max(axis=-1, keepdims=True)).argmax(axis=-1)
        leading[close] = np.take_along_axis(columns, first[:, np.newaxis], axis=-1)[:, 0]
    return np.where(leading < 0, -1, 1).astype(seen.dtype)
