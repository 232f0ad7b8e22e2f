"""Layout: how a request writes matrices, as far as an equation depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.arrays import Shape
from core.convention import Convention


@dataclass(frozen=True, slots=True)
class Layout:
    """The convention and the shapes of a request. A derivation depends on nothing else of it."""

    convention: Convention
    inputs: Sequence[Shape]
    result: Shape
    parameters: frozenset[str]

    @property
    def column(self) -> bool:
        """True if matrices are features x n."""
        return self.convention == "column"

    @property
    def out_by_in(self) -> bool:
        """True if dense weights are out x in."""
        return self.convention != "row"

    def transposes(self, shape: Shape) -> bool:
        """Return True if the request writes a tensor of that rank transposed."""
        return self.column and len(shape) == 2

    def features(self, shape: Shape) -> int:
        """Return the axis of the features, over which functions like softmax run."""
        return 0 if self.transposes(shape) else len(shape) - 1

    def examples(self, shape: Shape) -> int:
        """Return the axis of the examples."""
        return 1 if self.transposes(shape) else 0

    def but_examples(self, shape: Shape) -> int | tuple[int, ...]:
        """Return all axes except that of the examples."""
        axes = tuple(axis for axis in range(len(shape)) if axis != self.examples(shape))
        return axes[0] if len(axes) == 1 else axes

    def beside(self, vector: str, shape: Shape) -> str:
        """Return a vector of one number for each feature, indexed to be added to a tensor of that shape."""
        return f"{vector}[:, None]" if self.transposes(shape) else vector

    def for_examples(self, vector: str, shape: Shape) -> str:
        """Return a vector of one number for each example, indexed to multiply a tensor of that shape."""
        if self.transposes(shape) or len(shape) < 2:
            return vector
        return f"{vector}[:, {', '.join(['None'] * (len(shape) - 1))}]"

    def core_shape(self, shape: Shape) -> Shape:
        """Return a shape batch-first, the order in which layers count axes."""
        return shape[::-1] if self.transposes(shape) else shape

    def core(self, operand: str, shape: Shape) -> str:
        """Return an operand batch-first, as NumPy."""
        return f"{operand}.T" if self.transposes(shape) else operand

    def sent(self, expression: str, shape: Shape) -> str:
        """Return a batch-first result as the request writes it, in which it has the shape `shape`."""
        return f"({expression}).T" if self.transposes(shape) else expression
