"""The mistakes inside lstm."""

from __future__ import annotations

from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.gates import slopes_of
from core.checking.mistakes.recurrence.lstm_backward import GATES, LstmBackward
from core.checking.mistakes.recurrence.lstm_blocks import BLOCKS
from core.checking.mistakes.recurrence.lstm_cell import CELL

LSTM: tuple[type[ThroughTime], ...] = (*slopes_of(LstmBackward, GATES), *CELL, *BLOCKS)
"""The mistakes that only lstm has."""
