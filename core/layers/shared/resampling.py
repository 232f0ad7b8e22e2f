"""Resampling: where the numbers of an axis lie at another resolution, in whole numbers.

Result r lies at (r·step + offset) / unit on the axis of the input. The positions of r, r + period, r + 2·period … are `shift`
apart, a whole number: these results have the same weights. Positions are never rounded, so a result that lies on a number has
that number alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from core.layers.shared.strides import AxisMap, Stride


def as_fraction(scale: float) -> Fraction:
    """Return the fraction that a number is written for: 1/3 for 0.333…, and 11/10 for 1.1."""
    exact = Fraction(scale)
    short = exact.limit_denominator(10**6)
    return short if float(short) == scale else exact


@dataclass(frozen=True, slots=True)
class Resampling:
    """An axis of `before` numbers at `after` positions."""

    before: int
    after: int
    ratio: Fraction
    """Distance between neighbouring results on the axis of the input."""

    align_corners: bool = False

    @classmethod
    def by_scale(cls, length: int, scale: Fraction, *, align_corners: bool = False) -> Self:
        """Return the axis at `scale` times its resolution."""
        after = int(length * scale)
        return cls.to_size(length, after, align_corners=True) if align_corners else cls(length, after, 1 / scale)

    @classmethod
    def to_size(cls, length: int, size: int, *, align_corners: bool = False) -> Self:
        """Return the axis with `size` numbers."""
        if align_corners:
            return cls(length, size, Fraction(length - 1, max(size - 1, 1)), align_corners=True)
        return cls(length, size, Fraction(length, size))

    @property
    def places(self) -> int:
        """Number of places between neighbouring numbers at which results lie."""
        return min(self.ratio.denominator, self.after)

    def axis_map(self, mode: str) -> AxisMap:
        """Return the map of the axis: `nearest`, `nearest_exact` or `linear`."""
        shift, period, last = self.ratio.numerator, self.ratio.denominator, self.before - 1
        if mode == "nearest" or self.align_corners:
            step, offset, unit = shift, 0, period
        else:
            step, offset, unit = 2 * shift, (shift - period if mode == "linear" else shift), 2 * period
        at = f"np.arange({self.after}) * {step} + {offset}" if offset else f"np.arange({self.after}) * {step}"
        if mode == "linear":
            matrix = (
                f"np.maximum(0, 1 - np.abs(np.clip(({at}) / {unit}, 0, {last})[:, None] - np.arange({self.before})))"
            )
        else:
            matrix = f"(np.minimum(({at}) // {unit}, {last})[:, None] == np.arange({self.before})).astype(float)"
        strides = [
            stride
            for phase in range(self.places)
            for stride in self._phase(phase, divmod(phase * step + offset, unit), unit if mode == "linear" else 0)
        ]
        return AxisMap(self.before, self.after, strides, matrix)

    def _phase(self, phase: int, position: tuple[int, int], unit: int) -> Iterator[Stride]:
        """Return the terms of the results phase, phase + period …, of which the first lies at `position`: whole, rest."""
        (at, rest), shift, period, last = position, self.ratio.numerator, self.ratio.denominator, self.before - 1
        total = (self.after - 1 - phase) // period + 1
        between = unit > 0 and rest > 0
        first = 0
        if at < 0:  # Before the first number, which is nearest.
            yield Stride(phase, period, 0, 0, 1)
            first = 1
        inside = last - 1 if between else last
        reached = (inside - at) // shift + 1 if shift else total  # The first that lies behind the last number.
        end = max(first, min(total, reached))
        if end > first:
            start, source, count = phase + first * period, at + first * shift, end - first
            share = rest / unit if between else 0.0
            yield Stride(start, period, source, shift, count, 1 - share if between else 1.0)
            if between:
                yield Stride(start, period, source + 1, shift, count, share, adds=True)
        if total > end:
            yield Stride(phase + end * period, period, last, 0, total - end)
