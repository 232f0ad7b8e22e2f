"""The pseudo-inverse of a weight, and its null space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.errors import Refusal
from core.linalg.gauge import signs

LARGEST_WORK = 2 * 10**10
"""The largest decomposition that is accepted: a few seconds of LAPACK, which cannot be interrupted."""


@dataclass(frozen=True, slots=True)
class Decomposed:
    """W = U Σ Vᵀ, in x out: X W = R is solved by X = R W⁺, and by X + C N for any C."""

    left: Array
    """U, in x in if the null space is requested, otherwise in x min(in, out)."""

    values: Array
    """σ, descending."""

    right: Array
    """V, out x min(in, out)."""

    rank: int
    """The number of σ that are not 0 in working precision."""

    @property
    def features(self) -> int:
        """The number of features that W reads."""
        return int(self.left.shape[0])

    @property
    def free(self) -> int:
        """The dimension of the null space."""
        return self.features - self.rank

    @property
    def null_space(self) -> Array:
        """N, an orthonormal basis of {x: x W = 0}, with a vector in each row: (in − rank) x in."""
        return self.left[:, self.rank :].T

    def solve(self, R: Array) -> Array:
        """Return R W⁺ = R V Σ⁻¹ Uᵀ, the shortest X among those with the smallest ‖X W − R‖."""
        rank = self.rank
        return np.asarray(((R @ self.right[:, :rank]) / self.values[:rank]) @ self.left[:, :rank].T)

    def towards(self, X: Array, reference: Array) -> Array:
        """Return the point of X + (null space) that is nearest to a reference."""
        U = self.left[:, : self.rank]
        difference = reference - X
        return np.asarray(X + difference - (difference @ U) @ U.T)


def decompose(W: Array, *, with_null_space: bool) -> Decomposed:
    """Return the decomposition of a weight; its rank counts the σ above max(in, out) eps times the largest.

    Raises:
        Refusal: `too-large`, before the computation; `non-finite` if LAPACK does not converge.
    """
    rows, columns = W.shape
    work = rows * (max(rows, columns) if with_null_space else columns) * min(rows, columns)
    if work > LARGEST_WORK:
        raise Refusal.of(
            "too-large",
            f"The singular values of a weight of shape {list(W.shape)} (in x out) take some {work:.1e} multiplications; this "
            f"server takes {LARGEST_WORK:.0e}.",
            expected=LARGEST_WORK,
            got=work,
            hint='Without the basis of the null space, "null_space": false, there are fewer.'
            if with_null_space
            else None,
        )
    try:
        left, values, right = np.linalg.svd(W, full_matrices=with_null_space and rows > columns)
    except np.linalg.LinAlgError as error:
        raise Refusal.of("non-finite", f"LAPACK finds no singular values of a weight ({error}).") from error
    sign = signs(left)
    left, right = left * sign, right.T * sign[:, : len(values)]
    rank = int((values > max(W.shape) * np.finfo(W.dtype).eps * values.max()).sum())
    return Decomposed(left, values, right, rank)
