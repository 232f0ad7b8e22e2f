"""The base class of equivalences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.checking.submission import SubmissionSpec
from core.problem import Problem

PRICE = 0.25
"""The cost of an equivalence, lower than that of a mistake: it is believed if it saves an accusation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A way to read a request: the problem that the user's program solves, and its submission."""

    problem: Problem
    sent: SubmissionSpec
    slugs: tuple[str, ...] = ()
    """The names of the differences from the request."""
    said: tuple[str, ...] = ()
    """The differences in sentences."""

    @property
    def price(self) -> float:
        """The cost of the reading."""
        return PRICE * len(self.slugs)

    @property
    def scale_of_deltas(self) -> float:
        """What the reading has multiplied the submitted deltas by, and half a unit of their last digit with them."""
        objective = self.problem.objective
        return 1 / len(objective.coefficients) if objective and "deltas-without-mean" in self.slugs else 1.0


class Equivalence:
    """A difference from the request in the way of writing that is not a mistake.

    To add one, write a class in a file of ``core/checking/equivalences/`` and list it in `EQUIVALENCES` there.
    """

    slug: str
    """The name of the equivalence in an answer."""

    scales_loss: bool = False
    """True if the loss of the user's program is a constant multiple of the request's."""

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        """Yield the problem and the submission as the user meant them, with a sentence that describes the difference."""
        raise NotImplementedError
