"""What the search for wrong rules found: for some parameters a rule that gives the submitted numbers, or none."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.checking.steps.agreement import Key
from core.checking.steps.replay import Predicted
from core.checking.steps.rules import UpdateRule

Rules = tuple[type[UpdateRule], ...]
"""Mistakes and forms that are in a rule together."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule that gives the submitted numbers of some parameters."""

    mistakes: Rules
    """The mistakes and forms in the rule; () if it is unknown."""

    keys: tuple[Key, ...]
    """The parameters concerned."""

    alternatives: tuple[Rules, ...] = ()
    """Other rules that give the same numbers."""

    factor: float | None = None

    @property
    def wrong(self) -> Rules:
        """The mistakes, without the forms."""
        return tuple(each for each in self.mistakes if not each.is_form)


@dataclass(slots=True)
class Found:
    """What the search found."""

    predicted: list[Predicted]
    """The right numbers."""

    wrong: dict[Key, list[int]]
    """The points at which a parameter is wrong."""

    explanations: list[Explanation] = field(default_factory=list)
    unseen: list[type[UpdateRule]] = field(default_factory=list)
    """The mistakes that give the right numbers in these steps."""

    partial: bool = False
    """True if the search ended before every known mistake was tried."""
