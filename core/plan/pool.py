"""Pool: memory that is acquired and released while a plan is built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.arrays import Array, Shape, arrange, in_memory_order


class Pool:
    """Memory for arrays that live for part of a run, reused as soon as their content is dead.

    A plan is built in the order in which its operations run, so an array that is released before the next one is acquired
    is no longer read when that one is written.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._free: list[Array] = []

    def acquire(self, shape: Shape) -> Array:
        """Return an array of this shape in the layout of `tensor_memory`, from the smallest sufficient free block."""
        size = math.prod(shape)
        fitting = [block for block in self._free if block.size >= size]
        if fitting:
            block = min(fitting, key=lambda free: free.size)
            self._free = [free for free in self._free if free is not block]
        else:
            block = np.empty(size, self._dtype)
        return arrange(block[:size], shape)

    def release(self, array: Array) -> None:
        """Return the memory of an acquired array to the pool."""
        self._free.append(in_memory_order(array))
