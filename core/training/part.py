"""Part: the plan for a number of examples, and how the examples of a step come into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, Op
from core.layer_context import LayerContext
from core.layers.base import Layer
from core.plan import Plan

Gather = Callable[[Array], object]


@dataclass(frozen=True, slots=True)
class Part:
    """A plan for one number of examples, and how the examples of a step come into it."""

    plan: Plan
    gathers: list[Gather]
    """Functions that write chosen examples into the plan: inputs, targets and, where they differ, shares."""

    renewed: list[tuple[Layer, LayerContext]]
    """Layers that draw random numbers for every step."""

    carry: list[Op]
    """Operations that copy the state that a layer wrote in a step to where the next step reads it."""

    def place(self, chosen: Array, step: int) -> None:
        """Put the chosen examples in place for a step, counted from 0."""
        for gather in self.gathers:
            gather(chosen)
        for layer, context in self.renewed:
            layer.renew(context, step)


TURNED = 2**20
"""Largest number of elements of which a copy with the examples innermost is made, for memory in that layout."""


def gather_of(source: Array, memory: Array) -> Gather:
    """Return the function that writes the chosen examples of all into `memory`."""
    axis = 0
    if memory.ndim == source.ndim == 2 and not memory.flags.c_contiguous and source.size <= TURNED:
        source, memory, axis = np.ascontiguousarray(source.T), memory.T, 1
    if source.dtype == memory.dtype and memory.flags.c_contiguous and source.ndim == memory.ndim:
        take = source.take
        # mode="clip" avoids the copy that "raise" makes; every index is in range.
        return lambda chosen: take(chosen, axis, memory, "clip")

    def gather(chosen: Array) -> None:
        memory[...] = source.take(chosen, axis).reshape(memory.shape)

    return gather
