"""ProblemSpec: a problem in the caller's words, before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.arrays import Array
from core.convention import Convention
from core.feedback_alignment import FeedbackSpec
from core.layers import Layer
from core.losses import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemSpec:
    """A problem as it was sent: unchecked, with every array in the caller's convention."""

    layers: Sequence[Layer]
    inputs: Mapping[str, Array]
    parameters: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    state: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    loss: Loss | None = None
    targets: Array | None = None
    upstream: Array | None = None
    sample_weight: Array | None = None
    first_label: int = 0
    convention: Convention | None = None
    dtype: Literal["float64", "float32"] = "float64"
    seed: int | None = None
    feedback: FeedbackSpec | None = None
