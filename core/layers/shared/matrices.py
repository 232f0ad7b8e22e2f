"""Stacks of matrices: the inputs of layers that decompose matrices, and their refusals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from core.arrays import Array, Shape, real
from core.convention import orient_shape
from core.errors import Issue, Refusal
from core.layer_context import LayerContext
from core.layers.base import misfit

LARGEST_WORK = 2 * 10**10
"""Largest rows x columns x min(rows, columns) over all matrices of a stack: a few seconds of LAPACK, which cannot be
interrupted."""


AROUND = 40
"""Calls of NumPy around a decomposition: clusters of values, signs, refusals."""


def refuse_unless_matrices(kind: str, shape: Shape, column: bool) -> Shape:
    """Return the shape (…, rows, columns) of what a layer reads; a single matrix is read as sent.

    Raises:
        Refusal: `shape-mismatch` for a vector or a number, `too-large` for a stack that would take too long.
    """
    seen = orient_shape(shape, column)
    if len(seen) < 2:
        misfit(
            f"{kind} reads matrices, one for each example (n x rows x columns); it reads a tensor of shape {list(seen)}.",
            hint="Put a reshape layer before it.",
        )
    work = math.prod(seen) * min(seen[-2:])
    if work > LARGEST_WORK:
        raise Refusal.of(
            "too-large",
            f"{kind} of matrices of shape {list(seen)} takes some {work:.1e} multiplications; this server takes "
            f"{LARGEST_WORK:.0e}.",
            expected=LARGEST_WORK,
            got=work,
        )
    return seen


def refuse_unless_square(kind: str, shape: Shape, column: bool) -> Shape:
    """Return the shape (…, n, n) of what a layer reads.

    Raises:
        Refusal: `shape-mismatch` for matrices that are not square.
    """
    seen = refuse_unless_matrices(kind, shape, column)
    if seen[-1] != seen[-2]:
        misfit(
            f"{kind} reads symmetric matrices, which are square; it reads a tensor of shape {list(seen)}.",
            hint="svd decomposes any matrix; second_order_pooling reads F and forms F'F itself.",
        )
    return seen


def single_matrix(context: LayerContext) -> list[Issue]:
    """Return a warning if the layer reads a tensor of rank 2, which is one matrix and not n examples of features."""
    X = context.inputs[0]
    if X.ndim != 2:
        return []
    shape = list(context.as_sent(X).shape)
    return [
        Issue(
            code="single-matrix",
            detail=f"The tensor of shape {shape} is read as one matrix, not as examples with features.",
            hint="One matrix for each example is a tensor n x rows x columns.",
        )
    ]


def transposed(X: Array) -> Array:
    """Return the transposed matrices of a stack, as a view."""
    return X.swapaxes(-1, -2)


def describe_matrix(context: LayerContext, index: tuple[int, ...]) -> str:
    """Name one matrix of the stack in words."""
    return f"matrix {list(index)}" if context.inputs[0].ndim > 2 else "the matrix"


def symmetric(context: LayerContext) -> Array:
    """Return (X + Xᵀ)/2 of what a layer reads, which differs from X by rounding only; X itself if they are equal.

    Raises:
        Refusal: `invalid-request` for a matrix that is not symmetric; `non-finite` for NaN and infinity.
    """
    X = context.as_sent(context.inputs[0])
    refuse_non_finite(context, X)
    A = real(X)
    if np.array_equal(X, transposed(X)):
        return X
    difference = np.abs(A - transposed(A)).max(axis=(-1, -2))
    size = np.abs(A).max(axis=(-1, -2))
    wrong = difference > np.sqrt(np.finfo(A.dtype).eps) * size
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        matrix = A[index]
        r, c = (int(i) for i in np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape))
        raise context.refusal(
            "invalid-request",
            f"in {describe_matrix(context, index)} of the tensor of shape {list(X.shape)} that it reads, the numbers at "
            f"[{r}, {c}] and [{c}, {r}] are {matrix[r, c]:.6g} and {matrix[c, r]:.6g}; the matrix has to be symmetric.",
            expected=float(matrix[r, c]),
            got=float(matrix[c, r]),
            hint="X + X' and X X' are symmetric; svd decomposes any matrix.",
        )
    return np.asarray((X + transposed(X)) / 2)


def refuse_non_finite(context: LayerContext, X: Array) -> None:
    """Refuse NaN and infinity, for which LAPACK returns nonsense.

    Raises:
        Refusal: `non-finite`.
    """
    if not np.isfinite(X).all():
        raise context.refusal("non-finite", "what it reads has NaN or infinity in it, and no decomposition.")


@contextmanager
def refuse_unless_converging(context: LayerContext) -> Iterator[None]:
    """Context manager around a decomposition: if LAPACK does not converge, refuse and name the layer.

    Raises:
        Refusal: `non-finite`.
    """
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise context.refusal("non-finite", f"LAPACK finds no decomposition of what it reads ({error}).") from error
