"""Entries: single numbers of submitted gradients, each with the number that is right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.precision import Criterion
from core.checking.quantity import Quantity

UNITS = 16
"""Rounding of a gradient, in units of its last place."""


class Entry(NamedTuple):
    """One number of a gradient."""

    quantity: Quantity
    at: tuple[int, ...]
    yours: float
    right: float
    slack: float
    """The distance from a quotient that the rounding of the number itself explains."""

    @property
    def error(self) -> float:
        """The distance from the right number, with its sign."""
        return self.yours - self.right


@dataclass(frozen=True, slots=True)
class Gradients:
    """All gradients of a submission, the right ones among them."""

    yours: Mapping[Quantity, Array]
    right: Mapping[Quantity, Array]
    wrong: frozenset[Quantity]
    criterion: Criterion

    def numbers(self, arrays: Mapping[Quantity, Array]) -> Array:
        """Return all numbers of the submitted quantities in one vector."""
        return np.concatenate([np.ravel(arrays[quantity]) for quantity in self.yours])

    def are_close(self, factor: float, share: float) -> bool:
        """Return True if the numbers, divided by a factor, are the right ones but for a share of their size."""
        right = self.numbers(self.right)
        apart = float(np.linalg.norm(self.numbers(self.yours) / factor - right))
        return apart <= share * float(np.linalg.norm(right))

    def entry(self, quantity: Quantity, flat: int) -> Entry:
        """Return the entry at a position of a tensor, counted row by row."""
        yours, right = self.yours[quantity], self.right[quantity]
        at = tuple(int(index) for index in np.unravel_index(flat, yours.shape))
        expected = np.asarray(right[at])
        slack = UNITS * self.criterion.unit * abs(float(expected))
        if self.criterion.digits:
            slack += float(self.criterion.digits.half_unit(np.asarray(yours[at])))
        return Entry(quantity, at, float(yours[at]), float(expected), slack)

    def worst(self, factor: float, each: int, most: int) -> list[Entry]:
        """Return the entries with the largest errors after a division by a factor: some of every wrong tensor."""
        found = []
        for quantity in self.yours:
            if quantity in self.wrong:
                apart = np.abs(self.yours[quantity] / factor - self.right[quantity])
                found += [
                    self.entry(quantity, int(flat)) for flat in np.argsort(-apart, axis=None, kind="stable")[:each]
                ]
        return sorted(found, key=lambda entry: -abs(entry.yours / factor - entry.right))[:most]

    def sample(self, size: int, seed: int) -> list[Entry]:
        """Return entries drawn at random: some of every tensor, right or wrong."""
        generator = np.random.Generator(np.random.PCG64(seed))
        each = max(2, size // len(self.yours))
        return [
            self.entry(quantity, int(flat))
            for quantity, yours in self.yours.items()
            for flat in generator.permutation(yours.size)[:each]
        ][: 2 * size]


def size_of(numbers: Iterable[float]) -> float:
    """Return the square root of the sum of squares."""
    return float(np.linalg.norm(np.fromiter(numbers, np.float64)))
