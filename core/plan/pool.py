"""A pool of memory that is acquired and released while a plan is built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.arrays import Array, Shape, arrange, in_memory_order


class Pool:
    """Hands out arrays whose life ends within a plan, so that memory is used again as soon as its content is dead.

    A plan is built in the order in which its operations will run; what is released before the
    next acquisition is dead by then.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._free: list[Array] = []

    def acquire(self, shape: Shape) -> Array:
        """An array of that shape, in the memory order of `tensor_memory`."""
        size = math.prod(shape)
        fitting = [block for block in self._free if block.size >= size]
        if fitting:
            block = min(fitting, key=lambda free: free.size)
            self._free = [free for free in self._free if free is not block]
        else:
            block = np.empty(size, self._dtype)
        return arrange(block[:size], shape)

    def release(self, array: Array) -> None:
        """Let the memory of a lent array be lent again."""
        self._free.append(in_memory_order(array))
