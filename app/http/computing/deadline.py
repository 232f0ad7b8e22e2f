"""Deadlines of computations."""

from __future__ import annotations

import time

from core.arrays import CheckDeadline
from core.errors import Refusal


def deadline_in(seconds: float) -> CheckDeadline:
    """Return a function that raises a refusal, `timeout`, once so many seconds have passed from now on."""
    deadline = time.monotonic() + seconds

    def check_deadline() -> None:
        if time.monotonic() > deadline:
            raise timed_out(seconds)

    return check_deadline


def timed_out(seconds: float) -> Refusal:
    """Return the refusal of a computation that was stopped."""
    return Refusal.of("timeout", f"The computation was stopped after {seconds:g} s.", expected=seconds)
