"""The report of a check."""

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
    """Another mistake that reproduces the same numbers."""

    cause: str
    quantity: Quantity
    why: str
    separate: str
    """Data to send so that the two mistakes give different numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The right formula."""

    numpy: str
    latex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A rule that is wrong, and its mistake."""

    quantity: Quantity
    tensors: Sequence[Quantity]
    """All tensors that the mistake makes wrong in its own layer, that quantity first."""
    block: str
    """The part of the layer or of the tensor that is wrong: "forget gate"; "" for all of it."""
    cause: str
    """The mistake's name; `unknown` if no known mistake reproduces the numbers."""
    certainty: Certainty
    rule: str
    """The right rule, in LaTeX."""
    wrong: str
    """The formula that was used instead, in LaTeX, if it is known."""
    said: str
    """The sentence for the summary."""
    why: str
    fix: Fix
    ratio: float | None
    factor: float | None
    residual: float | None
    """The relative difference that remains when the wrong formula is replayed."""
    alternatives: Sequence[Alternative] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tensor of the submission beside what was expected."""

    quantity: Quantity
    status: Status
    total: int
    difference: Difference | None = None
    """None for a tensor that is missing or has another shape."""
    yours: Array | None = None
    expected: Array | None = None
    layout: str | None = None
    """The rearrangement that makes the tensor fit."""
    shapes: tuple[Shape, Shape] | None = None
    """The submitted and the expected shape, batch-first, if they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEquivalence:
    """A way of writing that differs from the request's and is not a mistake."""

    slug: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """A mistake that this batch cannot reveal."""

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
    partial: bool = False
    """True if the search ended before everything was tried."""
