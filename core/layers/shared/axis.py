"""Axes as a request counts them: on tensors as sent, transposed under `column`, negative from the end."""

from __future__ import annotations

from core.arrays import Shape
from core.layers.base import misfit


def axis_from_front(kind: str, axis: int, shape: Shape) -> int:
    """Return `axis` counted from 0.

    Raises:
        Refusal: `shape-mismatch` if a tensor of this shape has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        misfit(
            f"{kind} along axis {axis}: a tensor of shape {list(shape)} has axes {-len(shape)} to {len(shape) - 1}.",
            "axis",
            expected=[-len(shape), len(shape) - 1],
            got=axis,
        )
    return axis % len(shape)
