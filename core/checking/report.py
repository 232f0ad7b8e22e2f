"""What a check finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.arrays import Array, Shape
from core.checking.comparison import Difference
from core.checking.kinks import Kink
from core.checking.oracle import Oracle
from core.checking.quantity import Quantity

Verdict = Literal["correct", "wrong", "equivalent-layout", "inconclusive"]
Status = Literal["correct", "wrong", "inherited", "missing"]
Certainty = Literal["exact", "likely", "ambiguous", "located"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another cause that reproduces the same numbers."""

    cause: str
    quantity: Quantity
    why: str
    separate: str
    """What to send so that the two give different numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The right formula."""

    numpy: str
    latex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A rule that is wrong, and why."""

    quantity: Quantity
    cause: str
    """The mistake's name; `unknown` where no known one reproduces the numbers."""
    certainty: Certainty
    rule: str
    """The right rule, in LaTeX."""
    wrong: str
    """The formula that was used instead, in LaTeX, where it is known."""
    said: str
    """The sentence for the summary."""
    why: str
    fix: Fix
    ratio: float | None
    factor: float | None
    residual: float | None
    """What is left of the difference when the wrong formula is replayed."""
    alternatives: Sequence[Alternative] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tensor of the submission beside what was expected."""

    quantity: Quantity
    status: Status
    total: int
    difference: Difference | None = None
    """None for a tensor that is missing, or of another shape."""
    yours: Array | None = None
    expected: Array | None = None
    layout: str | None = None
    """How the tensor had to be read so that it fits."""
    shapes: tuple[Shape, Shape] | None = None
    """The shape that was sent and the one that was expected, batch-first, where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEquivalence:
    """A way of writing things that is not the request's and no mistake either."""

    slug: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """A mistake that this batch could not have revealed."""

    cause: str
    layer: str
    tensor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a check."""

    verdict: Verdict
    summary: str
    blame: Sequence[Blame]
    rows: Sequence[Row]
    equivalences: Sequence[ReportedEquivalence]
    kinks: Sequence[Kink]
    blind_spots: Sequence[BlindSpot]
    needs: Sequence[str]
    oracle: Oracle | None
    criterion: str
