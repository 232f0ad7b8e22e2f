"""Arrays of the core: their types, and how they lie in memory.

In the mathematics a tensor is batch-first: a matrix of activations is n x features. In memory the examples of a small
matrix lie innermost: it is stored as features x n and seen through a transposed view. Sums over features, bias columns
and products with a row of ones then run over long contiguous stretches, and the row of ones that turns a weight matrix
and its bias into one product (`[A 1] [W; b]`) costs one spare row of memory. A large matrix lies row by row, as BLAS
multiplies it faster. Steps that multiply matrices use `product`, which does not mind either. Images, in the mathematics
n x channels x height x width, lie as height x channels x width x n: what a convolution reads is then one piece of memory
for each row of its result.
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
"""One instruction of a plan: reads and writes arrays that it is bound to, and returns nothing of interest."""


SMALL = 2**17
"""Up to this many elements the examples of a matrix lie innermost in memory."""


def nothing() -> None:
    """The step that does nothing: what it would compute is there already."""


def constant(value: float, like: Array) -> Array:
    """`value` as a rank-0 array of the dtype of `like`: NumPy handles it faster than a Python number."""
    return np.array(value, dtype=like.dtype)


def real(array: Array) -> Array:
    """The real part as a view, which is the array itself for a real one.

    Branches look at it, so that a complex step passes through the backward pass as well.
    """
    return np.real(array)


def is_small(shape: Shape) -> bool:
    """Whether a matrix of that shape has its examples innermost in memory."""
    return len(shape) == 2 and shape[0] * shape[1] <= SMALL


IMAGES = (2, 1, 3, 0)
"""The axes of images from the slowest to the fastest in memory: height, channels, width, examples."""


def arrange(memory: Array, shape: Shape) -> Array:
    """A vector as a tensor: the examples of small matrices and of images innermost, anything else row by row."""
    if is_small(shape):
        return memory.reshape(shape[::-1]).T
    if len(shape) == 4:
        return memory.reshape([shape[axis] for axis in IMAGES]).transpose(np.argsort(IMAGES))
    return memory.reshape(shape)


def tensor_memory(shape: Shape, dtype: DTypeLike) -> Array:
    """Uninitialised memory for a tensor, as it is `arrange`."""
    return arrange(np.empty(math.prod(shape), dtype), shape)


def extended_matrix(examples: int, features: int, dtype: DTypeLike, *, by_row: bool = False) -> Array:
    """An n x (features + 1) matrix whose last column is 1: what a dense layer with bias reads.

    It lies `by_row`, or else with the examples innermost.
    """
    matrix = np.empty((examples, features + 1), dtype) if by_row else np.empty((features + 1, examples), dtype).T
    matrix[:, -1] = 1
    return matrix


def product(A: Array, B: Array, out: Array) -> Op:
    """The step that writes A B into `out`, which lies row by row or column by column.

    A bound method takes its operands faster than the function, and `dot` asks for row-by-row memory of its result:
    where that lies column by column, the same product is written as (Bᵀ Aᵀ)ᵀ.
    """
    if out.ndim == 2 and not out.flags.c_contiguous:
        return partial(B.T.dot, A.T, out.T)
    return partial(A.dot, B, out)


def last_axis_sums(A: Array, sums: Array) -> Op:
    """The step that writes the sums over the last axis into an array which keeps that axis."""
    if A.ndim == 2:
        return product(A, np.ones(A.shape[1], A.dtype), sums[:, 0])
    return partial(np.add.reduce, A, -1, None, sums, True)


def inner_product(A: Array, B: Array) -> Callable[[], Any]:
    """What computes Σ A ∘ B of two tensors of one shape."""
    flat = in_memory_order(A)
    if A.strides == B.strides and np.shares_memory(flat, A):
        return partial(flat.dot, in_memory_order(B))
    return lambda: np.multiply(A, B).sum()


def stack(upper: Array, lower: Array) -> Array | None:
    """A matrix and a row as one matrix, where the row lies behind the matrix in the same vector; otherwise None."""
    vector = upper.base
    if vector is None or vector is not lower.base or vector.ndim != 1 or not upper.flags.c_contiguous:
        return None
    if upper.ctypes.data + upper.nbytes != lower.ctypes.data:
        return None
    start = (upper.ctypes.data - vector.ctypes.data) // vector.itemsize
    return vector[start : start + upper.size + lower.size].reshape(len(upper) + 1, -1)


def in_memory_order(array: Array) -> Array:
    """The elements as a vector that shares the memory of a contiguous array, in whatever order they lie there."""
    return array.ravel(order="K")


def per_example_axes(array: Array) -> tuple[int, ...]:
    """The axes of one example: all but the first."""
    return tuple(range(1, array.ndim))


def sum_over_features(array: Array) -> Array:
    """One number for each example: the sum over all axes but the first."""
    return np.asarray(array.sum(axis=per_example_axes(array)))


def column_of(values: Array, like: Array) -> Array:
    """A value for each example, shaped so that it multiplies the examples of `like`."""
    return values.reshape(values.shape + (1,) * (like.ndim - values.ndim))
