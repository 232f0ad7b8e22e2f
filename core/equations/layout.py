"""Layout: how a request writes its matrices, as far as an equation depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.arrays import Shape
from core.convention import Convention


@dataclass(frozen=True, slots=True)
class Layout:
    """What a derivation may look at: how matrices are written, and shapes as the request has them."""

    convention: Convention
    inputs: Sequence[Shape]
    result: Shape
    parameters: frozenset[str]

    @property
    def column(self) -> bool:
        """Whether matrices are features x n."""
        return self.convention == "column"

    @property
    def out_by_in(self) -> bool:
        """Whether dense weights are out x in."""
        return self.convention != "row"

    def transposes(self, shape: Shape) -> bool:
        """Whether a tensor of that rank is written transposed."""
        return self.column and len(shape) == 2

    def features(self, shape: Shape) -> int:
        """The axis over which functions like softmax run."""
        return 0 if self.transposes(shape) else len(shape) - 1

    def examples(self, shape: Shape) -> int:
        """The axis of the examples."""
        return 1 if self.transposes(shape) else 0

    def but_examples(self, shape: Shape) -> int | tuple[int, ...]:
        """All axes but that of the examples."""
        axes = tuple(axis for axis in range(len(shape)) if axis != self.examples(shape))
        return axes[0] if len(axes) == 1 else axes

    def beside(self, vector: str, shape: Shape) -> str:
        """A vector of one number for each feature, as NumPy adds it to a tensor of that shape."""
        return f"{vector}[:, None]" if self.transposes(shape) else vector

    def for_examples(self, vector: str, shape: Shape) -> str:
        """A vector of one number for each example, as NumPy multiplies a tensor of that shape with it."""
        if self.transposes(shape) or len(shape) < 2:
            return vector
        return f"{vector}[:, {', '.join(['None'] * (len(shape) - 1))}]"

    def core_shape(self, shape: Shape) -> Shape:
        """A shape batch-first, which is how layers count axes inside."""
        return shape[::-1] if self.transposes(shape) else shape

    def core(self, operand: str, shape: Shape) -> str:
        """An operand batch-first, as NumPy."""
        return f"{operand}.T" if self.transposes(shape) else operand

    def sent(self, expression: str, shape: Shape) -> str:
        """A batch-first result as the request writes it; `shape` is the one that it has there."""
        return f"({expression}).T" if self.transposes(shape) else expression
