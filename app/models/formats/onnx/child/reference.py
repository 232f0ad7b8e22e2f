"""Operators that onnx's reference implementation computes wrongly, computed by their definition."""

from __future__ import annotations

import math
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


CORRECTED: list[type[OpRun]] = [LRN, GlobalMaxPool]
