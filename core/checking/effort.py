"""The effort of a check: how many replays it may still make."""

from __future__ import annotations

from core.arrays import CheckDeadline
from core.errors import Refusal

REPLAYS = 12_000
"""Replays of a check. The search of a small network where everything is wrong stays below a second with this number."""

LARGE = 20_000
"""A replay of so many numbers counts twice, one of twice as many three times."""


class Effort:
    """What is left of the replays that a check may make beyond locating the wrong rules.

    It is counted in replays and not in seconds, so that the same request always gets the same answer. The deadline of the
    server is the last resort: after it nothing is replayed any more, and what is located so far is the answer.
    """

    def __init__(self, check_deadline: CheckDeadline, replays: int = REPLAYS) -> None:
        self._check_deadline = check_deadline
        self._left = float(replays)
        self.is_over = False
        """True after the deadline."""

    def spend(self, numbers: int) -> None:
        """Count one replay of a tensor with so many numbers."""
        self._left -= 1 + numbers / LARGE
        self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        """End the search if the deadline has passed."""
        if not self.is_over:
            try:
                self._check_deadline()
            except Refusal as refusal:
                if not refusal.is_timeout:
                    raise
                self.is_over = True

    def check_deadline(self) -> None:
        """Raise if the deadline has passed, for a computation whose unfinished result is of no use."""
        self._check_deadline()

    @property
    def is_spent(self) -> bool:
        """True if nothing more is to be searched for than the place of the mistakes."""
        return self.is_over or self._left <= 0
