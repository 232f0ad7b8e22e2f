"""The eigenvalues and eigenvectors of symmetric matrices.

Source: Ionescu, Vantzos & Sminchisescu, Matrix Backpropagation for Deep Networks with Structured Layers (2015), §4, for
the variations dU = U (K ∘ (Uᵀ dX U)) and dλ = diag(Uᵀ dX U).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array, real
from core.linalg.clusters import clusters, distinct, equal_within, inverse_differences, repeated
from core.linalg.gauge import signs


@dataclass(frozen=True, slots=True)
class Eigen:
    """X = U diag(λ) Uᵀ for a stack of symmetric matrices."""

    values: Array
    """λ, sorted: (…, n)."""

    vectors: Array
    """U, an eigenvector in each column, its first largest component positive: (…, n, n)."""

    cluster: Array
    """The cluster of each value, by number; equal values share a cluster: (…, n)."""


TALL = 11 / 6
"""Rows for each column from which LAPACK's singular values start from a QR decomposition."""


def eigen(X: Array, tolerance: float | None = None) -> Eigen:
    """Return the eigenvalues and eigenvectors of symmetric matrices.

    Args:
        X: (…, n, n), exactly symmetric; it may carry a complex step.
        tolerance: the difference, as a share of the largest value, up to which values are equal. Default: rounding.

    Raises:
        numpy.linalg.LinAlgError: if LAPACK does not converge.
    """
    values, vectors = np.linalg.eigh(real(X))
    return _decomposition(values, vectors, X.imag if np.iscomplexobj(X) else None, tolerance)


def gram_step(F: Array) -> Array | None:
    """Return B in FᵀF + i B of a complex step in F; None in real arithmetic."""
    if not np.iscomplexobj(F):
        return None
    half = F.real.swapaxes(-1, -2) @ F.imag
    return np.asarray(half + half.swapaxes(-1, -2))


def gram_eigen(F: Array, epsilon: float, tolerance: float | None = None) -> tuple[Eigen, Array]:
    """Return the eigenvalues, descending, and eigenvectors V of A = FᵀF + εI, and F V (…, m, d).

    They come from the singular values of F, which keep the digits that small eigenvalues of FᵀF would lose. Those of a tall
    F are those of R in F = Q R, as LAPACK finds them too; nothing needs Q or U. For a wide F, F V is formed as U Σ, exactly 0
    in the null space of F.

    Raises:
        numpy.linalg.LinAlgError: if LAPACK does not converge.
    """
    positions, features = F.shape[-2:]
    tall = positions >= TALL * features
    matrices = np.linalg.qr(real(F), mode="r") if tall else real(F)
    left, sigma, transposed = np.linalg.svd(matrices, full_matrices=positions < features)
    vectors, count = transposed.swapaxes(-1, -2).copy(), sigma.shape[-1]
    values = np.full((*F.shape[:-2], features), epsilon, sigma.dtype)
    values[..., :count] += sigma * sigma
    if tall:
        at = _decomposition(values, vectors, gram_step(F), tolerance)
        return at, F @ at.vectors
    projected = np.zeros(F.shape, sigma.dtype)
    projected[..., :count] = left * sigma[..., np.newaxis, :] * signs(vectors)[..., :count]
    at = _decomposition(values, vectors, gram_step(F), tolerance)
    return at, F @ at.vectors if np.iscomplexobj(F) else projected


def _decomposition(values: Array, vectors: Array, step: Array | None, tolerance: float | None) -> Eigen:
    """Return the decomposition with its signs, moved along the complex step if there is one."""
    vectors *= signs(vectors)
    if tolerance is None:
        within = equal_within(values, values.shape[-1])
    else:
        within = tolerance * np.abs(values).max(axis=-1, keepdims=True)
    cluster = clusters(values, within)
    return Eigen(values, vectors, cluster) if step is None else _move(values, vectors, cluster, step)


def _move(values: Array, vectors: Array, cluster: Array, B: Array) -> Eigen:
    """Return the decomposition moved to first order along B.

    Within a cluster the basis is the one along which the values separate: Uᵀ B U is diagonal there and does not turn it.
    """
    for index, stretch in repeated(cluster):
        basis = vectors[index][:, stretch]
        basis[...] = basis @ np.linalg.eigh(basis.T @ B[index] @ basis)[1]
    vectors *= signs(vectors)
    C = vectors.swapaxes(-1, -2) @ B @ vectors
    K = inverse_differences(values, distinct(cluster))
    moved_values = values + 1j * np.diagonal(C, axis1=-2, axis2=-1)
    return Eigen(moved_values, vectors + 1j * (vectors @ (K * C)), cluster)
