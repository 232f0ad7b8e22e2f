"""The final check of answers for NaN and infinity, which JSON cannot represent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pydantic import BaseModel

from core.errors import Path, Refusal


def require_finite(answer: Any, path: Path = ()) -> None:
    """Check every number of an answer.

    Raises:
        Refusal: with the path of the first number that is not finite.
    """
    if isinstance(answer, np.ndarray):
        if answer.dtype.kind == "f" and not (finite := np.isfinite(answer)).all():
            index = tuple(int(position) for position in np.argwhere(~finite)[0])
            raise _refusal(answer[index], (*path, *index))
    elif isinstance(answer, (float, np.floating)):
        if not math.isfinite(answer):
            raise _refusal(answer, path)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            require_finite(value, (*path, name))
    elif isinstance(answer, (list, tuple)):
        for position, value in enumerate(answer):
            require_finite(value, (*path, position))
    elif isinstance(answer, BaseModel):
        require_finite(answer.model_dump(by_alias=True), path)


def _refusal(value: float | np.floating[Any], path: Path) -> Refusal:
    return Refusal.of(
        "non-finite", f"The result {value} is not a number that JSON can represent.", *path, got=str(value)
    )
