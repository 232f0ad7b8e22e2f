"""The gap between neighbouring values of a spectrum, on which the accuracy of the vectors and their gradients depends.

A vector turns by the change of its matrix divided by the gap to the next value. Where two values are equal, any basis of
their common space is valid, and a loss has a gradient only if it does not depend on the choice of basis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, real
from core.errors import Issue, Refusal
from core.layer_context import LayerContext
from core.linalg.clusters import distinct, equal_within


@dataclass(frozen=True, slots=True)
class Gap:
    """The smallest gap, as a share of the largest value, in a stack of spectra."""

    size: float
    """The difference itself."""

    between: str
    """The numbers of the two values, counted from 1, as text."""

    index: tuple[int, ...]
    """The index of the matrix in the stack."""

    largest: float
    """The largest value of that matrix."""

    equal: bool
    """True if the two values are equal in working precision."""

    dtype: np.dtype[np.floating]

    @property
    def share(self) -> float:
        """The gap as a share of the largest value."""
        return self.size / self.largest if self.largest else 0.0


def smallest_gap(values: Array, size: int, to_zero: bool = False) -> Gap | None:
    """Return the smallest gap of a stack of spectra.

    Args:
        values: sorted spectra (…, n).
        size: the larger side of the matrices.
        to_zero: also take the distance of the last value from 0 as a gap.
    """
    spectra = real(values)
    if to_zero:
        spectra = np.concatenate([spectra, np.zeros((*spectra.shape[:-1], 1), spectra.dtype)], axis=-1)
    if spectra.shape[-1] < 2:
        return None
    gaps = np.abs(np.diff(spectra, axis=-1))
    largest = np.abs(spectra).max(axis=-1, keepdims=True)
    shares = gaps / np.where(largest > 0, largest, 1)
    *index, position = (int(i) for i in np.unravel_index(shares.argmin(), shares.shape))
    last = to_zero and position == spectra.shape[-1] - 2
    return Gap(
        size=float(gaps[*index, position]),
        between=f"{position + 1} and 0" if last else f"{position + 1} and {position + 2}",
        index=tuple(index),
        largest=float(largest[*index, 0]),
        equal=bool(gaps[*index, position] <= equal_within(spectra, size)[*index, 0]),
        dtype=spectra.dtype,
    )


def small_gap(gap: Gap | None, where: Callable[[tuple[int, ...]], str], what: str) -> list[Issue]:
    """Return a warning if a third of the digits or more are lost.

    Args:
        gap: the smallest gap.
        where: names a matrix of the stack.
        what: "eigenvalue" or "singular value".
    """
    if gap is None or gap.share > np.finfo(gap.dtype).eps ** (1 / 3):
        return []
    found = (
        f"In {where(gap.index)}, {what} {gap.between} are {gap.size:.3g} apart, beside a largest of {gap.largest:.3g}"
    )
    if gap.equal:
        detail = (
            f"{found}: equal in {gap.dtype}. Their vectors are one choice of many, and a gradient exists only where "
            "nothing depends on the choice."
        )
    else:
        digits = -math.log10(gap.share)
        turn = f"Their vectors turn {1 / gap.size:.3g} times as far as the matrix moves"
        detail = f"{found}. {turn}; {digits:.0f} digits are lost."
    hint = "Matrix functions (matrix_log, matrix_power, second_order_pooling) have exact gradients at any gap."
    return [Issue(code="small-gap", detail=detail, got=gap.size, hint=hint)]


def differ_in_cluster(cluster: Array, d_values: Array) -> Array:
    """Return True for each matrix in which the gradient of the values differs between equal values."""
    g = real(d_values)
    difference = np.abs(g[..., :, np.newaxis] - g[..., np.newaxis, :])
    return np.asarray((~distinct(cluster) & (difference > _rounding(g, (-1,))[..., np.newaxis])).any(axis=(-1, -2)))


def reaches_across(apart: Array, turn: Array, d_vectors: Array) -> Array:
    """Return True for each matrix in which the gradient of the vectors turns the basis of a cluster.

    `turn` is antisymmetric: nothing turns a cluster of one value.
    """
    if np.count_nonzero(apart) == apart.size - apart[..., 0].size:
        return np.zeros(apart.shape[:-2], bool)
    return np.asarray((~apart & (np.abs(real(turn)) > _rounding(real(d_vectors), (-1, -2)))).any(axis=(-1, -2)))


def reaches_outside(zero: Array, outside: Array, d_vectors: Array) -> Array:
    """Return True for each matrix in which the gradient of a vector with value 0 leaves the span of the vectors."""
    size = np.abs(real(outside)).max(axis=-2)
    return np.asarray((zero & (size > _rounding(real(d_vectors), (-1, -2))[..., 0])).any(axis=-1))


def _rounding(gradient: Array, axes: tuple[int, ...]) -> Array:
    """Return the bound for rounding in a part of a gradient that is 0."""
    largest = np.abs(gradient).max(axis=axes, keepdims=True)
    return np.asarray(1000 * gradient.shape[-1] * np.finfo(gradient.dtype).eps * largest)


def first_of(wrong: Array) -> tuple[int, ...]:
    """Return the index of the first matrix that is True."""
    return tuple(int(i) for i in np.argwhere(wrong)[0])


def depends_on_choice(context: LayerContext, where: str, what: str) -> Refusal:
    """Return the refusal of a gradient that does not exist because it depends on the choice of basis."""
    return context.refusal(
        "non-finite",
        f"{what} of {where} are equal (or 0) in working precision, and the gradient that comes from above depends on which "
        "basis of their common space was taken: it does not exist there.",
        hint="Matrix functions (matrix_log, matrix_power, second_order_pooling) have exact gradients at equal values, and "
        "so has a loss that depends on equal values by their sum and on their vectors by their projector.",
    )
