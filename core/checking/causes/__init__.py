"""The mistakes that are known: one class a file, registered in `CAUSES`."""

from __future__ import annotations

from core.checking.causes.divided_by_batch_size import DividedByBatchSize
from core.checking.causes.multiplied_by_batch_size import MultipliedByBatchSize
from core.checking.mistake import Mistake

CAUSES: tuple[type[Mistake], ...] = (
    MultipliedByBatchSize,
    DividedByBatchSize,
)
"""Every known mistake. Where two reproduce the same numbers, the earlier one is named and the later an alternative."""

__all__ = ["CAUSES", "Mistake"]
