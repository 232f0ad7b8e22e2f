"""Schemes: the ways of writing a difference quotient, right and wrong.

one-sided         (L(θ + h) − L(θ)) / h            differs from the gradient by ½ h ∂²L/∂θ²
central           (L(θ + h) − L(θ − h)) / 2h       differs from it by h²/6 ∂³L/∂θ³
divided wrongly   the first by 2h, or the second by h: half or twice as large
drifting          numbers are not put back, so that the next is differenced at a moved point
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from core.checking.numerical.entry import Entry
from core.checking.numerical.path import Path
from core.checking.numerical.surface import Surface


class Numerical(NamedTuple):
    """The kind of finite difference of a submission."""

    slug: str
    said: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """A difference quotient (L(θ + ahead h) − L(θ + behind h)) / (divisor h)."""

    ahead: int
    behind: int
    divisor: int
    left: int = 0
    """The distance, in steps, by which a number stays moved after its turn."""

    path: Path | None = None
    """The order of the numbers, if they stay moved."""

    @property
    def factor(self) -> float:
        """The factor of the quotient, compared with the gradient."""
        return (self.ahead - self.behind) / self.divisor

    @property
    def sides(self) -> int:
        """1 for a one-sided difference, 2 for a central one."""
        return 2 if self.ahead and self.behind else 1

    @property
    def is_first_order(self) -> bool:
        """True if the error shrinks with h, and not with h²."""
        return self.sides == 1 or self.left != 0

    def quotient(self, surface: Surface, entry: Entry, step: float) -> float:
        """Return the difference quotient of one number."""
        moved = {}
        if self.path:
            moved = {quantity: self.left * step * mask for quantity, mask in self.path.before(entry).items()}
        ahead, behind = (
            surface.loss(entry, count * step, moved) if count or moved else surface.here
            for count in (self.ahead, self.behind)
        )
        return (ahead - behind) / (self.divisor * step)

    def name(self, step: float) -> Numerical:
        """Return what is said about a submission that was made by this scheme."""
        kind = f"{'one-sided' if self.sides == 1 else 'central'} differences with step {step:.3g}"
        divided = {
            1.0: "",
            2.0: ", divided by h instead of 2h, and so twice as large",
            0.5: ", divided by 2h instead of h",
        }
        what = f"Your numbers are {kind}{divided[self.factor]}"
        if self.left:
            return Numerical(
                "difference-at-a-moving-point",
                f"{what}, at a point that drifts: each number stays moved by {self.left * step:.3g} after its turn, so the "
                "next one is differenced somewhere else. Put every number back before the next.",
            )
        if self.factor != 1:
            return Numerical(
                "difference-divided-wrongly", f"{what}. The error of differences is left in them, besides the factor."
            )
        if self.sides == 2:
            return Numerical(
                "difference-step-too-large", f"{what}, off by h²/6 ∂³L/∂θ³. Use a smaller step, such as 1e-5."
            )
        return Numerical(
            "one-sided-difference",
            f"{what}, off by ½ h ∂²L/∂θ². The error of central differences is only of order h².",
        )


STILL = (
    Scheme(1, 0, 1),
    Scheme(0, -1, 1),
    Scheme(1, -1, 2),
    Scheme(1, -1, 1),
    Scheme(1, 0, 2),
)
"""The schemes that difference every number at the given point."""


def drifting(routes: Iterable[Path]) -> Iterator[Scheme]:
    """Yield the schemes that leave numbers moved."""
    for path in routes:
        for left in (-1, 1, -2, 2):
            for divisor in (2, 1):
                yield Scheme(1, -1, divisor, left, path)
        yield Scheme(1, 0, 1, 1, path)
        yield Scheme(0, -1, 1, -1, path)
