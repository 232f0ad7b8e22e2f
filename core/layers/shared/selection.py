"""Selections: for each axis, an array of 0 and 1 that marks the number that each window has at each offset.

With R[r, h, i] = 1 if window r has row h at offset i, a convolution is a product of tensors,

    Z[n, o, r, s] = Σ X[n, c, h, w] R[r, h, i] S[s, w, j] W[o, c, i, j]

and its derivative with respect to a factor is the same sum without that factor.
"""

from __future__ import annotations

from core.layers.shared.windows import Windows


def selection(axis: Windows) -> str:
    """Return R as a NumPy expression of shape windows x numbers x offsets."""
    windows = f"np.arange({axis.count})[:, None, None] * {axis.stride}"
    offsets = f"np.arange({axis.size}) * {axis.dilation}"
    return f"(np.arange({axis.length})[:, None] == {windows} + {offsets} - {axis.before}).astype(float)"
