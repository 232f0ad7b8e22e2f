"""The gauge of a decomposition: the sign of every vector, which the decomposition leaves open."""

from __future__ import annotations

import numpy as np

from core.arrays import Array, real

ALMOST_LARGEST = 0.999
"""Components within this share of the largest count as largest, so that rounding does not choose among equal ones."""


def signs(vectors: Array) -> Array:
    """Return ±1 for every column, so that its first largest component (by magnitude) is positive; shape (…, 1, columns)."""
    size = np.abs(real(vectors))
    first = (size >= ALMOST_LARGEST * size.max(axis=-2, keepdims=True)).argmax(axis=-2)
    leading = np.take_along_axis(real(vectors), first[..., np.newaxis, :], axis=-2)
    return np.where(leading < 0, -1, 1).astype(real(vectors).dtype)
