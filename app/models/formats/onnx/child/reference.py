"""Operators that onnx's reference implementation computes wrongly, computed by their definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx.reference.op_run import OpRun

from app.models.formats.onnx.child.specialising import Array


class LRN(OpRun):  # type: ignore[misc, unused-ignore]
    """LRN for inputs of any number of axes, and for more channels than examples (onnx 1.23 leaves out the others)."""

    op_domain = ""

    def _run(self, x: Array, alpha: Any = None, beta: Any = None, bias: Any = None, size: Any = None) -> tuple[Array]:
        before, behind = math.floor((size - 1) / 2), math.ceil((size - 1) / 2)
        sums = np.zeros_like(x)
        for channel in range(x.shape[1]):
            sums[:, channel] = (x[:, max(0, channel - before) : channel + behind + 1] ** 2).sum(axis=1)
        return ((x / (bias + alpha / size * sums) ** beta).astype(x.dtype),)


class GlobalMaxPool(OpRun):  # type: ignore[misc, unused-ignore]
    """GlobalMaxPool for inputs of any number of axes (onnx 1.23 takes images only)."""

    op_domain = ""

    def _run(self, x: Array) -> tuple[Array]:
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)


class MaxPool(OpRun):  # type: ignore[misc, unused-ignore]
    """MaxPool without positions (onnx 1.23 takes the padding of images for [top, bottom, left, right])."""

    op_domain = ""

    def _run(self, x: Array, **attributes: Any) -> tuple[Array]:
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        return (_windows(x, lowest, **attributes).max(axis=-1),)


class AveragePool(OpRun):  # type: ignore[misc, unused-ignore]
    """AveragePool, whose padding is read wrongly as that of MaxPool is."""

    op_domain = ""

    def _run(self, x: Array, count_include_pad: int = 0, **attributes: Any) -> tuple[Array]:
        sums, counted = _windows(x, 0, **attributes), np.ones_like(x)
        counts = _windows(counted, 1 if count_include_pad else 0, **attributes)
        return ((sums.sum(axis=-1) / counts.sum(axis=-1)).astype(x.dtype),)


def _windows(
    x: Array,
    fill: float,
    *,
    kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    auto_pad: str | None = None,
    ceil_mode: int | None = 0,
    storage_order: int | None = 0,
) -> Array:
    """Return the numbers of each window of a pool along a last axis of their own.

    Raises:
        NotImplementedError: for a result that is rounded up, which no layer has.
    """
    if ceil_mode:
        raise NotImplementedError
    rank = len(kernel_shape)
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    reaches = [(size - 1) * step + 1 for size, step in zip(kernel_shape, dilations, strict=True)]
    before, after = list(pads or [0] * 2 * rank)[:rank], list(pads or [0] * 2 * rank)[rank:]
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        for axis, (length, stride, reach) in enumerate(zip(x.shape[2:], strides, reaches, strict=True)):
            total = max(0, (-(-length // stride) - 1) * stride + reach - length)
            less, more = total // 2, total - total // 2
            before[axis], after[axis] = (less, more) if auto_pad == "SAME_UPPER" else (more, less)
    padded = np.pad(x, [(0, 0), (0, 0), *zip(before, after, strict=True)], constant_values=fill)
    every = np.lib.stride_tricks.sliding_window_view(padded, reaches, axis=tuple(range(2, 2 + rank)))
    chosen = every[:, :, *(slice(None, None, stride) for stride in strides), *(slice(None, None, d) for d in dilations)]
    return chosen.reshape(*chosen.shape[: 2 + rank], -1)


CORRECTED: list[type[OpRun]] = [LRN, GlobalMaxPool, MaxPool, AveragePool]
