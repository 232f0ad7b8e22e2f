"""The mistakes inside gru."""

from __future__ import annotations

from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.gates import slopes_of
from core.checking.mistakes.recurrence.gru_backward import GATES, GruBackward
from core.checking.mistakes.recurrence.gru_reset import RESET
from core.checking.mistakes.recurrence.gru_states import STATES
from core.checking.mistakes.recurrence.gru_update import UPDATE

GRU: tuple[type[ThroughTime], ...] = (*slopes_of(GruBackward, GATES), *UPDATE, *RESET, *STATES)
"""The mistakes that only gru has."""
