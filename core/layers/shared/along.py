"""Parameters along axes: one number for each position along chosen axes of an example, the same for all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, Shape
from core.layers.base import misfit


@dataclass(frozen=True, slots=True)
class Along:
    """The place of such a parameter in a tensor, batch-first."""

    shape: Shape
    """The shape of the tensor."""

    axes: tuple[int, ...]
    """The axes along which the parameter varies, ascending."""

    @property
    def parameter_shape(self) -> Shape:
        """The shape of the parameter: the lengths of its axes; (1,) if it has none."""
        return tuple(self.shape[axis] for axis in self.axes) or (1,)

    @property
    def summed(self) -> tuple[int, ...]:
        """The axes over which the parameter's gradient is summed."""
        return tuple(axis for axis in range(len(self.shape)) if axis not in self.axes)

    @property
    def broadcast(self) -> Shape:
        """The shape in which the parameter meets the tensor: length 1 along all other axes."""
        return tuple(length if axis in self.axes else 1 for axis, length in enumerate(self.shape))

    def spread(self, parameter: Array) -> Array:
        """Return a view of a parameter that broadcasts over the tensor."""
        return parameter.reshape(self.broadcast)

    def sums(self, terms: Array) -> Array:
        """Return the parameter's gradient, given its terms at every number of the tensor."""
        return np.asarray(terms.sum(axis=self.summed).reshape(self.parameter_shape))

    def sums_by_example(self, terms: Array) -> Array:
        """Return the parameter's gradient of each example, given its terms."""
        return np.asarray(terms.sum(axis=self.summed[1:]).reshape(len(terms), *self.parameter_shape))

    def written(self, name: str) -> str:
        """Return a parameter as NumPy, in a shape that broadcasts over the batch-first tensor."""
        return f"<{name}>" if self.axes == (len(self.shape) - 1,) else f"<{name}>.reshape({self.broadcast})"

    def written_sums(self, terms: str) -> str:
        """Return the sum of terms as NumPy."""
        return f"({terms}).sum(axis={self.summed}).reshape({self.parameter_shape})"


def along(kind: str, axes: Sequence[int], shape: Shape) -> Along:
    """Return the place of a parameter in a tensor.

    Raises:
        Refusal: `shape-mismatch` if the tensor has no such axis, or if one is given twice or is that of the examples.
    """
    rank = len(shape)
    inside = [axis for axis in axes if -rank <= axis < rank]
    counted = sorted({axis % rank for axis in inside})
    if len(counted) < len(axes) or 0 in counted:
        misfit(
            f"{kind} has one number for each position along axes of an example, each named once: axes 1 to {rank - 1} of a "
            f"tensor of rank {rank} whose axis 0 is that of the examples; it was given {list(axes)}.",
            "axes",
            expected=list(range(1, rank)),
            got=list(axes),
        )
    return Along(shape, tuple(counted))
