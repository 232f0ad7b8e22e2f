"""Strides: rows of an axis in arithmetic progression, and linear maps along an axis made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stride:
    """A term of a linear map: `count` numbers of the result, each a weight times a number of the input.

    Number `first + t·step` of the result receives `weight` times number `source + t·source_step` of the input. If `adds`,
    this is added to what earlier terms wrote there.
    """

    first: int
    step: int
    source: int
    source_step: int
    count: int
    weight: float = 1.0
    adds: bool = False

    @property
    def result(self) -> slice:
        """The numbers of the result."""
        return slice(self.first, self.first + (self.count - 1) * self.step + 1, self.step)

    @property
    def numbers(self) -> slice:
        """The numbers of the input; a single one if all of the result read the same."""
        if self.source_step == 0:
            return slice(self.source, self.source + 1)
        end = self.source + (self.count - 1) * self.source_step
        if self.source_step > 0:
            return slice(self.source, end + 1, self.source_step)
        return slice(self.source, end - 1 if end else None, self.source_step)


@dataclass(frozen=True, slots=True)
class AxisMap:
    """A linear map along one axis, from `before` numbers to `after`."""

    before: int
    after: int
    strides: Sequence[Stride]
    matrix: str
    """The matrix, after x before, as a NumPy expression."""

    edges: Sequence[slice] = ()
    """Numbers of the result that are constant."""

    @property
    def embeds(self) -> bool:
        """True if the first term copies the whole input as it is, and nothing is added there."""
        first = self.strides[0]
        return first == Stride(first.first, 1, 0, 1, self.before) and not any(one.adds for one in self.strides)

    @property
    def is_identity(self) -> bool:
        """True if every number stays where it is."""
        return self.before == self.after and self.embeds
