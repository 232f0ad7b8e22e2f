"""transposed-layout: the submission is written in another convention than the problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.convention import CONVENTIONS
from core.problem import Problem

IN_WORDS = {
    "row": "examples in rows and weights in x out",
    "column": "examples in columns and weights out x in",
    "torch": "examples in rows and weights out x in",
}


class AnotherConvention(Equivalence):
    """Row and column vectors, numerator and denominator layout: the same numbers, transposed."""

    slug = "transposed-layout"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        current = reading.sent.convention or reading.problem.convention
        for other in CONVENTIONS:
            if other != current:
                said = f"Your matrices follow convention {other!r}: {IN_WORDS[other]}."
                yield reading.problem, replace(reading.sent, convention=other), said
