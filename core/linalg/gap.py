"""The distance between neighbouring values of a spectrum: what it says about the vectors and their gradients.

A vector turns by the change of its matrix divided by the gap to the next value. Where two values are equal, any basis of
their common space would do, and a loss has a gradient only if it does not depend on which one was taken.
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
    """Which values, counted from 1."""

    index: tuple[int, ...]
    """Which matrix of the stack."""

    largest: float
    """The largest value there."""

    equal: bool
    """Whether the two are the same in working precision."""

    dtype: np.dtype[np.floating]

    @property
    def share(self) -> float:
        """The gap as a share of the largest value."""
        return self.size / self.largest if self.largest else 0.0


def smallest_gap(values: Array, size: int, to_zero: bool = False) -> Gap | None:
    """The smallest gap.

    Args:
        values: sorted spectra (…, n).
        size: the larger side of the matrices.
        to_zero: whether the last value also has to keep its distance from 0.
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
    """A warning where a third of the digits are lost or more.

    Args:
        gap: the smallest one.
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
    """Whether the gradient of the values differs between equal values, for each matrix."""
    g = real(d_values)
    difference = np.abs(g[..., :, np.newaxis] - g[..., np.newaxis, :])
    return np.asarray((~distinct(cluster) & (difference > _rounding(g, (-1,))[..., np.newaxis])).any(axis=(-1, -2)))


def reaches_across(apart: Array, turn: Array, d_vectors: Array) -> Array:
    """Whether the gradient of the vectors turns the basis of a cluster, for each matrix."""
    return np.asarray((~apart & (np.abs(real(turn)) > _rounding(real(d_vectors), (-1, -2)))).any(axis=(-1, -2)))


def reaches_outside(zero: Array, outside: Array, d_vectors: Array) -> Array:
    """Whether the gradient of a vector whose value is 0 leaves the span of the vectors, for each matrix."""
    size = np.abs(real(outside)).max(axis=-2)
    return np.asarray((zero & (size > _rounding(real(d_vectors), (-1, -2))[..., 0])).any(axis=-1))


def _rounding(gradient: Array, axes: tuple[int, ...]) -> Array:
    """What rounding may leave of a part of a gradient that is 0."""
    largest = np.abs(gradient).max(axis=axes, keepdims=True)
    return np.asarray(1000 * gradient.shape[-1] * np.finfo(gradient.dtype).eps * largest)


def first_of(wrong: Array) -> tuple[int, ...]:
    """The index of the first matrix for which something holds."""
    return tuple(int(i) for i in np.argwhere(wrong)[0])


def depends_on_choice(context: LayerContext, where: str, what: str) -> Refusal:
    """The refusal of a gradient that does not exist."""
    return context.refusal(
        "non-finite",
        f"{what} of {where} are equal (or 0) in working precision, and the gradient that comes from above depends on which "
        "basis of their common space was taken: it does not exist there.",
        hint="Matrix functions (matrix_log, matrix_power, second_order_pooling) have exact gradients at equal values, and "
        "so has a loss that depends on equal values by their sum and on their vectors by their projector.",
    )
