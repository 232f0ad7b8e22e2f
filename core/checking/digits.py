"""Digits: the rounding of numbers that were sent, read from the numbers themselves.

A program prints six decimal places, a notebook four significant digits, torch a float16 with all its digits. Whatever it
is, a number that was sent stands for every number within half a unit of its last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from core.arrays import Array

FEWEST, MOST = 3, 12
"""The numbers of decimal digits that are looked for."""

NO_EVIDENCE = 2
"""Numbers with no more significant digits than this may be exact: ½ is not a rounded number."""

DIFFERENT = 3
"""A tensor shows its rounding with at least so many different numbers of more digits."""

ENOUGH = 8
"""As many digits in all different numbers of a tensor together show its rounding as well: small numbers to three places."""

FLOAT32_DIGITS = 9
"""A float32 in its shortest form has at most this many significant digits: numbers with no more may be float32."""

FLOAT16_DIGITS = 5
"""The same for a float16."""

SAMPLE = 2048
"""Number of values whose digits are examined."""

SHORTEST = "float16 in its shortest form"

BINARY = {"float16": (11, -25), "bfloat16": (8, -134), SHORTEST: (10, -24)}
"""Bits of the significand, and the exponent of half the smallest number, of the formats with 16 bits. A number printed in
its shortest form is rounded twice, the second time to anything nearer to it than to its neighbours."""


@dataclass(frozen=True, slots=True)
class Digits:
    """The rounding of the numbers of a submission: to significant digits, to decimal places, or to a format of 16 bits."""

    significant: int | None = None
    decimals: int | None = None
    binary: str | None = None
    scale: float = 1.0
    """What the numbers were multiplied by after they had been rounded, in a reading of the submission."""
    others: tuple[Digits, ...] = field(default=(), compare=False)
    """Other roundings that the same numbers may have: 0.125 and 0.25 have three decimal places or three digits."""

    def half_unit(self, values: Array) -> Array:
        """Return half a unit of the last digit that was sent, of the coarsest rounding that each number may have."""
        units = [
            self._own_half_unit(values),
            *(replace(each, scale=self.scale).half_unit(values) for each in self.others),
        ]
        return np.asarray(np.max(units, axis=0))

    def or_else(self, other: Digits | None) -> Digits:
        """Return the rounding of numbers that may be rounded in another way too."""
        return self if other is None or other == self else replace(self, others=(*self.others, other))

    def _own_half_unit(self, values: Array) -> Array:
        size = np.abs(np.real(values)) / self.scale
        if self.decimals is not None:
            return np.full(size.shape, 0.5 * 10.0**-self.decimals * self.scale)
        with np.errstate(divide="ignore"):
            if self.binary is not None:
                bits, least = BINARY[self.binary]
                return np.asarray(np.exp2(np.maximum(np.floor(np.log2(size)) - bits, least)) * self.scale)
            exponents = np.floor(np.log10(np.where(size == 0, 1, size)))
        half = 0.5 * 10.0 ** (exponents - (self.significant or 17) + 1) * self.scale
        return np.asarray(np.where(size == 0, 0.0, half))

    def __str__(self) -> str:
        if self.decimals is not None:
            return f"{self.decimals} decimal places"
        return self.binary or f"{self.significant} significant digits"


def digits_of(arrays: Iterable[Array]) -> Digits | None:
    """Return the digits to which all these numbers are rounded, or None if they are not rounded."""
    numbers = _sample(arrays)
    if not len(numbers):
        return None
    # Numbers of d decimal places have s significant digits for some s, and the other way round; the coarser form is meant.
    possible = sorted(_possible(numbers), key=lambda each: -float(np.log(each.half_unit(numbers)).mean()))
    return replace(possible[0], others=tuple(possible[1:])) if possible else None


def may_be_float32(arrays: Iterable[Array], few: bool = False) -> bool:
    """Return True if all numbers are float32, or float32 in their shortest form, and not only because they have few digits.

    Args:
        arrays: the numbers.
        few: if True, a single number with the digits of a float32 is enough evidence.
    """
    numbers = _sample(arrays)
    if not len(numbers) or not (_evident(numbers) or (few and not np.all(_significant(numbers, FEWEST)))):
        return False
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32).astype(np.float64)
    return bool(np.all(numbers == single) or np.all(_significant(numbers, FLOAT32_DIGITS)))


def is_evident(arrays: Iterable[Array]) -> bool:
    """Return True if tensors show how they are rounded: their numbers are not simple by chance.

    A tensor with few different numbers, such as the loss, shows it with all of them.
    """
    numbers = np.unique(np.abs(_sample(arrays)))
    shown = len(numbers)
    for digits in range(1, MOST):
        more = int(np.count_nonzero(~_significant(numbers, digits)))
        if digits == NO_EVIDENCE and 0 < more == len(numbers):
            return True
        shown += more
        if shown >= ENOUGH:
            return True
    return False


def _evident(numbers: Array) -> bool:
    """Return True if several numbers have more digits than exact ones; a number alone, as a loss is, more than three."""
    if len(numbers) == 1:
        return not np.all(_significant(numbers, FEWEST))
    return _different(numbers, NO_EVIDENCE) >= DIFFERENT


def _different(numbers: Array, digits: int) -> int:
    """Return how many different numbers have more than so many significant digits."""
    return len(np.unique(np.abs(numbers[~_significant(numbers, digits)])))


def _possible(numbers: Array) -> Iterator[Digits]:
    """Yield the roundings that leave all these numbers as they are, the fewest digits of each form."""
    exact = 4 * np.finfo(np.float64).eps * np.abs(numbers)
    if not np.all(np.isfinite(numbers)):
        return
    if np.all(np.abs(np.round(numbers, MOST) - numbers) <= exact):
        for digits in range(FEWEST, MOST + 1):
            if np.all(np.abs(np.round(numbers, digits) - numbers) <= exact):
                yield Digits(decimals=digits)
                break
    binary = list(_binary(numbers))
    yield from (Digits(binary=each) for each in binary)
    if not binary and np.all(
        _significant(numbers, MOST)
    ):  # A float16 in its shortest form has few digits, and is still coarser.
        for digits in range(FEWEST, MOST + 1):
            if np.all(_significant(numbers, digits)):
                yield Digits(significant=digits)
                break


def _binary(numbers: Array) -> Iterator[str]:
    """Yield the formats with 16 bits that hold all these numbers, if they have more digits than some decimal ones."""
    if np.all(_significant(numbers, FEWEST)):
        return  # Few decimal digits often have few bits as well.
    with np.errstate(over="ignore"):
        half, single = numbers.astype(np.float16), numbers.astype(np.float32)
    if np.all(single == numbers) and not np.any(single.view(np.uint32) & 0xFFFF):
        yield "bfloat16"
    if np.all(half == numbers):  # The smallest numbers of this format have few bits, as all of the other one have.
        yield "float16"
    elif np.all(_significant(numbers, FLOAT16_DIGITS)) and _is_shortest(half, numbers):
        yield SHORTEST


def _is_shortest(half: Array, numbers: Array) -> bool:
    """Return True if the numbers are float16 in their shortest form: 0.2812 for 0.28125."""
    return all(float(str(each)) == number for each, number in zip(half, numbers.tolist(), strict=True))


def _significant(numbers: Array, digits: int) -> Array:
    """Return True for the numbers that have no more than so many significant decimal digits."""
    with np.errstate(all="ignore"):
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(numbers))))
        rounded = np.rint(numbers * scale) / scale
    return np.asarray(np.abs(rounded - numbers) <= 4 * np.finfo(np.float64).eps * np.abs(numbers))


def _sample(arrays: Iterable[Array]) -> Array:
    """Return the numbers that are examined, without zeros."""
    numbers = np.concatenate([np.zeros(0), *(np.ravel(array)[:SAMPLE] for array in arrays)]).astype(np.float64)
    return np.asarray(numbers[numbers != 0])
