"""What an equivalence is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.checking.submission import SubmissionSpec
from core.problem import Problem

PRICE = 0.25
"""What an equivalence costs beside a mistake: it is believed where it saves an accusation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A way to read a request: the problem that the user's program solves, and what was submitted."""

    problem: Problem
    sent: SubmissionSpec
    slugs: tuple[str, ...] = ()
    """Names of what differs from the request."""
    said: tuple[str, ...] = ()
    """The same in sentences."""

    @property
    def price(self) -> float:
        """What it costs."""
        return PRICE * len(self.slugs)


class Equivalence:
    """Something that people write differently, and rightly so.

    Adding one: a class in a file of ``core/checking/equivalences/``, and its name in `EQUIVALENCES` there.
    """

    slug: str
    """Its name in an answer."""

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        """The problem and the submission as they are read if the user meant this, and a sentence that says it."""
        raise NotImplementedError
