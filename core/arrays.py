"""Array types of the core, and the memory layout of tensors.

Every tensor has a batch-first shape: a matrix of activations is n x features. In memory, the examples of a small matrix
are innermost: it is stored as features x n and used through a transposed view. Sums over features, bias columns and
products with a row of ones then run over long contiguous stretches, and the row of ones that merges a weight matrix and its
bias into one product (`[A 1] [W; b]`) costs one additional row of memory. A large matrix is stored in row-major order, which
BLAS multiplies faster. Operations that multiply matrices use `product`, which accepts both layouts. Images, of shape
n x channels x height x width, are stored as height x channels x width x n, so that a convolution reads one contiguous piece
of memory for each row of its result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Op = Callable[[], object]
"""An operation: one instruction of a plan. It reads and writes the arrays that it is bound to; its result is ignored."""

CheckDeadline = Callable[[], object]
"""A function that a long computation calls now and then; it ends the computation by raising."""


SMALL = 2**17
"""Largest number of elements for which the examples of a matrix are innermost in memory."""


def nothing() -> None:
    """Do nothing: the operation for a result that is computed already."""


def constant(value: float, like: Array) -> Array:
    """Return `value` as a rank-0 array of the dtype of `like`, which NumPy handles faster than a Python number."""
    return np.array(value, dtype=like.dtype)


def real(array: Array) -> Array:
    """Return the real part as a view; for a real array, the array itself.

    Comparisons use it, so that a complex step passes through the backward pass as well.
    """
    return np.real(array)


def is_small(shape: Shape) -> bool:
    """Return whether a tensor of this shape is a matrix whose examples are innermost in memory."""
    return len(shape) == 2 and shape[0] * shape[1] <= SMALL


IMAGES = (2, 1, 3, 0)
"""The axes of images from the slowest to the fastest in memory: height, channels, width, examples."""


def arrange(memory: Array, shape: Shape) -> Array:
    """Return a vector as a tensor: small matrices and images with the examples innermost, others in row-major order."""
    if is_small(shape):
        return memory.reshape(shape[::-1]).T
    if len(shape) == 4:
        return memory.reshape([shape[axis] for axis in IMAGES]).transpose(np.argsort(IMAGES))
    return memory.reshape(shape)


def tensor_memory(shape: Shape, dtype: DTypeLike) -> Array:
    """Return uninitialised memory for a tensor, in the layout of `arrange`."""
    return arrange(np.empty(math.prod(shape), dtype), shape)


def extended_matrix(examples: int, features: int, dtype: DTypeLike, *, by_row: bool = False) -> Array:
    """Return an n x (features + 1) matrix whose last column is 1, which a dense layer with bias reads.

    It is stored in row-major order with `by_row`, otherwise with the examples innermost.
    """
    matrix = np.empty((examples, features + 1), dtype) if by_row else np.empty((features + 1, examples), dtype).T
    matrix[:, -1] = 1
    return matrix


def product(A: Array, B: Array, out: Array) -> Op:
    """Return the operation that writes A B into `out`, which is stored in row-major or column-major order.

    A bound method is called faster than the function, and `dot` requires a row-major result: for a column-major `out`, the
    same product is written as (Bᵀ Aᵀ)ᵀ.
    """
    if out.ndim == 2 and not out.flags.c_contiguous:
        return partial(B.T.dot, A.T, out.T)
    return partial(A.dot, B, out)


def last_axis_sums(A: Array, sums: Array) -> Op:
    """Return the operation that writes the sums over the last axis into `sums`, which keeps that axis with length 1."""
    if A.ndim == 2:
        return product(A, np.ones(A.shape[1], A.dtype), sums[:, 0])
    return partial(np.add.reduce, A, -1, None, sums, True)


def inner_product(A: Array, B: Array) -> Callable[[], Any]:
    """Return a function that computes Σ A ∘ B for two tensors of the same shape."""
    flat = in_memory_order(A)
    if A.strides == B.strides and np.shares_memory(flat, A):
        return partial(flat.dot, in_memory_order(B))
    return lambda: np.multiply(A, B).sum()


def stack(upper: Array, lower: Array) -> Array | None:
    """Return a matrix and the row that follows it in the same vector as one matrix; None if they are stored elsewhere."""
    vector = upper.base
    if vector is None or vector is not lower.base or vector.ndim != 1 or not upper.flags.c_contiguous:
        return None
    if upper.ctypes.data + upper.nbytes != lower.ctypes.data:
        return None
    start = (upper.ctypes.data - vector.ctypes.data) // vector.itemsize
    return vector[start : start + upper.size + lower.size].reshape(len(upper) + 1, -1)


def in_memory_order(array: Array) -> Array:
    """Return the elements in the order of memory, as a vector that shares the memory of a contiguous array."""
    return array.ravel(order="K")


def per_example_axes(array: Array) -> tuple[int, ...]:
    """Return the axes of one example: all but the first."""
    return tuple(range(1, array.ndim))


def sum_over_features(array: Array) -> Array:
    """Return the sum over all axes but the first: one number for each example, shape (n,)."""
    return np.asarray(array.sum(axis=per_example_axes(array)))


def column_of(values: Array, like: Array) -> Array:
    """Return a value for each example with trailing axes of length 1, so that it broadcasts over the examples of `like`."""
    return values.reshape(values.shape + (1,) * (like.ndim - values.ndim))
