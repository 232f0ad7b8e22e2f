"""The mistakes in the backward pass of multi_head_attention: `ATTENTION` has them all."""

from __future__ import annotations

from core.checking.mistakes.attention.backward import AttentionBackward
from core.checking.mistakes.attention.biases import BIASES
from core.checking.mistakes.attention.heads import HEADS
from core.checking.mistakes.attention.paths import PATHS
from core.checking.mistakes.attention.projections import PROJECTIONS
from core.checking.mistakes.attention.scores import SCORES
from core.checking.mistakes.attention.softmax import SOFTMAX

ATTENTION: tuple[type[AttentionBackward], ...] = (
    *SCORES,
    *SOFTMAX,
    *HEADS,
    *PROJECTIONS,
    *PATHS,
    *BIASES,
)
"""In the order in which they are named if two give the same numbers."""

__all__ = ["ATTENTION"]
