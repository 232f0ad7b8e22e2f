"""Drawn: a graph that grows by random nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from onnx import helper

from core.arrays import Array

LARGEST = 3_000
"""Largest number of elements of a value: models are small, so that many of them are drawn."""

Shape = tuple[int, ...]


@dataclass
class Drawn:
    """A graph that grows, with the shape that each of its values has for `examples` examples."""

    random: np.random.Generator
    opset: int
    examples: int
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def pick(self, *choices: Any) -> Any:
        return choices[int(self.random.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def normal(self, *shape: int) -> Array:
        return self.random.normal(size=shape).astype(np.float32)

    def constant(self, array: Any) -> str:
        """The name of a constant; now and then one that is there already, as where weights are tied."""
        array = np.asarray(array)
        if array.dtype == np.float32 and array.ndim > 1 and self.chance(0.2):
            for name, other in self.constants.items():
                if other.dtype == array.dtype and other.shape == array.shape:
                    return name
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        return name

    def add(self, operator: str, reads: list[str], shape: Shape, **attributes: Any) -> str | None:
        """The value that a new node makes; None if it would be empty or large."""
        if not 0 < prod(shape) <= LARGEST or len(shape) > 6:
            return None
        made = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, reads, [made], **attributes))
        self.shapes[made] = shape
        return made

    def with_list(
        self, since: int, operator: str, reads: list[str], shape: Shape, name: str, values: Any
    ) -> str | None:
        """The value of a node whose list of integers is an attribute, or an input from operator set `since` on."""
        if self.opset >= since:
            return self.add(operator, [*reads, self.constant(np.array(values, np.int64))], shape)
        return self.add(operator, reads, shape, **{name: list(values)})


Step = Callable[[Drawn, str], str | None]


def broadcastable(drawn: Drawn, shape: Shape) -> Shape:
    """A shape that fits another one: fewer axes, or some of length 1; now and then more of either."""
    found = [1 if drawn.chance(0.4) else length for length in shape[int(drawn.random.integers(len(shape) + 1)) :]]
    if drawn.chance(0.08):
        found = [*([1] * (len(shape) - len(found) + 1)), *found]
    return tuple(found)
