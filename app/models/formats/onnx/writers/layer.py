"""A layer that is to be written: its fields, its tensors, and what is known of the values that it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from app.models.formats.onnx.writer import Writer
from core.arrays import Array
from core.layers import Layer


class Unwritable(Exception):
    """A layer has no ONNX counterpart; the message says why."""


class OnnxLayer:
    """A layer with its tensors, the names of what it reads, and how many axes that has."""

    def __init__(
        self,
        name: str,
        layer: Layer,
        reads: Sequence[str],
        tensors: Mapping[str, Array],
        ranks: Sequence[int | None],
    ) -> None:
        self.name = name
        self.layer: Any = layer
        self.reads = list(reads)
        self.tensors = tensors
        self.ranks = list(ranks)

    @property
    def rank(self) -> int:
        """The number of axes of what the layer reads.

        Raises:
            Unwritable: if no layer determines it.
        """
        if self.ranks[0] is None:
            raise Unwritable("no layer of the network determines how many axes its input has, which the file states")
        return self.ranks[0]

    def axis(self, axis: int) -> int:
        """Return an axis that is not that of the examples, as it is unless it has to be counted.

        Raises:
            Unwritable: if it is that of the examples.
        """
        if axis == 0 or (axis < 0 and self.ranks[0] is not None and axis + self.ranks[0] == 0):
            raise Unwritable("it works along the axis of the examples, and a file has a result for each example")
        return axis

    def array(self, name: str) -> Array:
        """Return a parameter or a tensor of the state.

        Raises:
            Unwritable: if the model does not have it.
        """
        if name not in self.tensors:
            raise Unwritable(f"the model does not have its parameter {name}")
        return self.tensors[name]

    def tensor(self, writer: Writer, name: str) -> str:
        """Write a parameter as a constant of the graph, and return its name.

        Raises:
            Unwritable: if the model does not have the parameter.
        """
        return writer.constant(f"{self.name}.{name}", self.array(name))

    def along(self, writer: Writer, name: str, axes: Sequence[int]) -> str:
        """Write a parameter that varies along axes of the input in a shape that is aligned with it at the last axis.

        Raises:
            Unwritable: if the model does not have the parameter, or the axes cannot be counted.
        """
        array = self.array(name)
        places = sorted(self.axis(axis) if axis < 0 else axis - self.rank for axis in axes)
        shape = [1] * (-places[0] if places else 1)
        for place, length in zip(places, array.shape, strict=False):
            shape[place] = length
        return writer.constant(f"{self.name}.{name}", array.reshape(shape))


def each(sides: int | list[int], rank: int) -> list[int]:
    """Return a number for each axis."""
    return list(sides) if isinstance(sides, list) else [sides] * rank


def is_single(value: float) -> bool:
    """Return whether an attribute, which is in single precision in a file, is read back as the same number."""
    return float(str(np.float32(value))) == value


Write = Callable[[Writer, OnnxLayer], str]
"""Writes the nodes of a layer, and returns the name of the result."""
