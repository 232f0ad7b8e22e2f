"""The mistakes inside recurrent layers."""

from __future__ import annotations

from core.checking.mistakes.base import Mistake
from core.checking.mistakes.recurrence.directions import DIRECTIONS
from core.checking.mistakes.recurrence.gru import GRU
from core.checking.mistakes.recurrence.lstm import LSTM
from core.checking.mistakes.recurrence.rnn import RNN
from core.checking.mistakes.recurrence.time import TIME

RECURRENCE: tuple[type[Mistake], ...] = (*TIME, *RNN, *LSTM, *GRU, *DIRECTIONS)
"""Every one of them; if two give the same numbers, the earlier one is named."""

__all__ = ["RECURRENCE"]
