"""Clusters: the groups of values of a spectrum that are equal in working precision."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.arrays import Array


def equal_within(values: Array, size: int) -> Array:
    """Return the difference below which values of that spectrum are equal in working precision, shape (…, 1).

    Rounding moves the eigenvalues and singular values of a matrix by a few units of eps times the largest of them,
    somewhat more for a large matrix.
    """
    largest = np.abs(values).max(axis=-1, keepdims=True)
    return np.asarray(16 * size * np.finfo(values.dtype).eps * largest)


def clusters(values: Array, tolerance: Array) -> Array:
    """Return the cluster number of every value of a sorted spectrum; neighbours within the tolerance share one."""
    apart = np.abs(np.diff(values, axis=-1)) > tolerance
    first = np.zeros((*values.shape[:-1], 1), dtype=np.intp)
    return np.concatenate([first, np.cumsum(apart, axis=-1)], axis=-1)


def distinct(cluster: Array) -> Array:
    """Return True for all pairs i, j in different clusters: shape (…, n, n)."""
    return np.asarray(cluster[..., :, np.newaxis] != cluster[..., np.newaxis, :])


def inverse_differences(values: Array, apart: Array) -> Array:
    """Return K_ij = 1/(λ_j − λ_i) between clusters, 0 within them."""
    difference = values[..., np.newaxis, :] - values[..., :, np.newaxis]
    return np.asarray(apart / np.where(apart, difference, 1))


def repeated(cluster: Array) -> Iterator[tuple[tuple[int, ...], slice]]:
    """Yield the clusters of more than one value: the index of the matrix, and the slice of its spectrum."""
    for index in np.ndindex(cluster.shape[:-1]):
        numbers, starts, counts = np.unique(cluster[index], return_index=True, return_counts=True)
        for position in range(len(numbers)):
            if counts[position] > 1:
                yield index, slice(int(starts[position]), int(starts[position] + counts[position]))
