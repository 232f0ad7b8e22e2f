"""Axes as a caller counts them: on the tensors as sent, rank 2 transposed under `column`, negative from the end."""

from __future__ import annotations

from core.arrays import Shape
from core.layers.base import misfit


def axis_from_front(kind: str, axis: int, shape: Shape) -> int:
    """`axis` as a number from 0.

    Raises:
        Refusal: `shape-mismatch` for an axis that a tensor of that shape lacks.
    """
    if not -len(shape) <= axis < len(shape):
        misfit(
            f"{kind} along axis {axis}: a tensor of shape {list(shape)} has axes {-len(shape)} to {len(shape) - 1}.",
            "axis",
            expected=[-len(shape), len(shape) - 1],
            got=axis,
        )
    return axis % len(shape)
