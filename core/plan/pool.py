"""A pool of memory that is lent out and handed back while a plan is laid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.arrays import Array, Shape, arranged, in_memory_order


class Pool:
    """Lends arrays whose life ends within a plan, so that memory is used again as soon as its content is dead.

    A plan is laid in the order in which its steps will run; what is handed back before another loan is dead by then.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._free: list[Array] = []

    def lend(self, shape: Shape) -> Array:
        """An array of that shape, in the memory order of `tensor_memory`."""
        size = math.prod(shape)
        fitting = [block for block in self._free if block.size >= size]
        if fitting:
            block = min(fitting, key=lambda free: free.size)
            self._free = [free for free in self._free if free is not block]
        else:
            block = np.empty(size, self._dtype)
        return arranged(block[:size], shape)

    def hand_back(self, array: Array) -> None:
        """Let the memory of a lent array be lent again."""
        self._free.append(in_memory_order(array))
