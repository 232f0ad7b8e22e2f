"""The pseudo-inverse of a weight, and what it leaves open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.errors import Refusal
from core.linalg.gauge import signs

LARGEST_WORK = 2 * 10**10
"""Some seconds of LAPACK, which nothing can interrupt."""


@dataclass(frozen=True, slots=True)
class Decomposed:
    """W = U Σ Vᵀ, in x out: X W = R is solved by X = R W⁺, and by X + C N for any C."""

    left: Array
    """U, in x in where the null space is wanted, else in x min(in, out)."""

    values: Array
    """σ, descending."""

    right: Array
    """V, out x min(in, out)."""

    rank: int
    """How many σ are not 0 in working precision."""

    @property
    def features(self) -> int:
        """How many features W reads."""
        return int(self.left.shape[0])

    @property
    def free(self) -> int:
        """The dimension of the null space: what W reads and does not pass on."""
        return self.features - self.rank

    @property
    def null_space(self) -> Array:
        """N: an orthonormal basis of {x: x W = 0}, a vector in each row; (in − rank) x in."""
        return self.left[:, self.rank :].T

    def solve(self, R: Array) -> Array:
        """R W⁺ = R V Σ⁻¹ Uᵀ: the shortest of all X that come nearest to X W = R."""
        rank = self.rank
        return np.asarray(((R @ self.right[:, :rank]) / self.values[:rank]) @ self.left[:, :rank].T)

    def towards(self, X: Array, reference: Array) -> Array:
        """X moved within X + (null space) to the point nearest to a reference."""
        U = self.left[:, : self.rank]
        difference = reference - X
        return np.asarray(X + difference - (difference @ U) @ U.T)


def decompose(W: Array, *, with_null_space: bool) -> Decomposed:
    """The singular values of a weight, and its rank: how many exceed max(in, out) eps of the largest.

    Raises:
        Refusal: `too-large`, before they are computed; `non-finite` where LAPACK does not converge.
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
