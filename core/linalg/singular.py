"""The singular values and vectors of matrices.

Source: Townsend, Differentiating the Singular Value Decomposition (2016), for rectangular matrices; Ionescu, Vantzos &
Sminchisescu (2015), §4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array, real
from core.linalg.clusters import clusters, distinct, equal_within, inverse_differences, repeated
from core.linalg.gauge import signs


@dataclass(frozen=True, slots=True)
class Singular:
    """X = U diag(σ) Vᵀ for a stack of m x n matrices, with p = min(m, n)."""

    left: Array
    """U (…, m, p), a vector in each column, its first largest component positive."""

    values: Array
    """σ, descending: (…, p)."""

    right: Array
    """V (…, n, p), a vector in each column; its sign follows that of U."""

    cluster: Array
    """The cluster of each value, by number; equal values share a cluster: (…, p)."""

    zero: Array
    """True for the values that are 0 in working precision: (…, p)."""

    @property
    def inverse_differences(self) -> Array:
        """Return 1/(σ_j − σ_i) between clusters, 0 within them."""
        return inverse_differences(self.values, distinct(self.cluster))

    @property
    def inverse_sums(self) -> Array:
        """Return 1/(σ_j + σ_i), 0 if both are 0."""
        total = self.values[..., np.newaxis, :] + self.values[..., :, np.newaxis]
        both = self.zero[..., np.newaxis, :] & self.zero[..., :, np.newaxis]
        return np.asarray(np.where(both, 0, 1 / np.where(both, 1, total)))

    @property
    def inverses(self) -> Array:
        """Return 1/σ, 0 for a value of 0."""
        return np.asarray(np.where(self.zero, 0, 1 / np.where(self.zero, 1, self.values)))


def singular(X: Array) -> Singular:
    """Return the thin singular value decomposition of a stack (…, m, n), which may carry a complex step.

    Raises:
        numpy.linalg.LinAlgError: where LAPACK does not converge.
    """
    left, values, right_transposed = np.linalg.svd(real(X), full_matrices=False)
    right = right_transposed.swapaxes(-1, -2)
    within = equal_within(values, max(X.shape[-2:]))
    cluster, zero = clusters(values, within), values <= within
    if np.iscomplexobj(X):
        for index, stretch in repeated(cluster):
            _align(left[index][:, stretch], right[index][:, stretch], X.imag[index])
    sign = signs(left)
    real_one = Singular(left * sign, values, right * sign, cluster, zero)
    return _move(real_one, X.imag) if np.iscomplexobj(X) else real_one


def _align(left: Array, right: Array, B: Array) -> None:
    """Rotate the bases of each cluster to those along which its values separate if the matrix moves along B."""
    C = left.T @ B @ right
    turn = np.linalg.eigh(C + C.T)[1]
    left[...], right[...] = left @ turn, right @ turn


def _move(at: Singular, B: Array) -> Singular:
    """Return the decomposition moved to first order along B.

    With C = Uᵀ B V, U turns within its span by Ω_ij = ½ ((C + Cᵀ)_ij/(σ_j − σ_i) + (C − Cᵀ)_ij/(σ_j + σ_i)), and V by the
    same with a minus. Outside it, dU = (I − U Uᵀ) B V Σ⁻¹.
    """
    U, V = at.left, at.right
    BV, BU = B @ V, B.swapaxes(-1, -2) @ U
    C = U.swapaxes(-1, -2) @ BV
    transposed = C.swapaxes(-1, -2)
    apart, together = at.inverse_differences * (C + transposed) / 2, at.inverse_sums * (C - transposed) / 2
    inverses = at.inverses[..., np.newaxis, :]
    dU = U @ (apart + together) + (BV - U @ C) * inverses
    dV = V @ (apart - together) + (BU - V @ transposed) * inverses
    values = at.values + 1j * np.diagonal(C, axis1=-2, axis2=-1)
    return Singular(U + 1j * dU, values, V + 1j * dV, at.cluster, at.zero)
