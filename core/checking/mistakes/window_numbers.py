"""The mistakes of pooling in which numbers of a window receive its gradient, and how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.pooling import OfPooling, PooledWindows


def _overlap(kind: Any) -> bool:
    """Return True if neighbouring windows share numbers."""
    stride = kind.size if kind.stride is None else kind.stride
    sizes, strides = ([side, side] if isinstance(side, int) else side for side in (kind.size, stride))
    return any(step < size for size, step in zip(sizes, strides, strict=True))


class MaskTimesInput(OfPooling):
    """∂L/∂X += mask ∘ X."""

    slug = "mask-times-input"
    kinds = ("max_pool2d",)
    said = "contains the input of layer '$above' at its largest numbers instead of the delta"
    wrong = r"\frac{\partial L}{\partial X}[\text{window}] \mathrel{+}= \text{mask} \circ X[\text{window}]"
    why = (
        "The mask selects where the delta of a window goes. It multiplies the delta, not the numbers that were pooled."
    )
    unseen = "each delta is equal to the largest number of its window"

    def through_windows(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        for offset in range(windows.count):
            chosen = windows.inside(windows.first(offset), offset) * windows.numbers(windows.X, offset)
            windows.numbers(found, offset)[...] += chosen
        return found


class MaskTimesInputOverwritten(MaskTimesInput):
    """∂L/∂X = mask ∘ X, window after window."""

    wrong = r"\frac{\partial L}{\partial X}[\text{window}] \mathrel{=} \text{mask} \circ X[\text{window}]"

    def possible(self, kind: Any) -> bool:
        return _overlap(kind)

    def through_windows(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        for offset in reversed(range(windows.count)):
            chosen = windows.inside(windows.first(offset), offset) * windows.numbers(windows.X, offset)
            windows.numbers(found, offset)[...] = chosen
        return found


class EveryLargestNumber(OfPooling):
    """∂L/∂X += δ at every number that equals the largest."""

    slug = "every-largest-number"
    kinds = ("max_pool2d",)
    said = "passes the whole delta to each of several equal largest numbers of a window of layer '$above'"
    wrong = r"\frac{\partial L}{\partial x} = \delta \, [x = \max]"
    why = (
        "Of equal largest numbers only one receives the delta, or they share it. With the mask X = max alone, a "
        "window with equal numbers passes on more than it received."
    )
    unseen = "no window has two equal largest numbers"

    def through_windows(self, windows: PooledWindows) -> Array:
        found, largest = np.zeros_like(windows.X), windows.values.max(axis=0)
        for offset in range(windows.count):
            here = windows.inside((windows.values[offset] == largest) * windows.delta, offset)
            windows.numbers(found, offset)[...] += here
        return found


class FirstOfWindow(OfPooling):
    """∂L/∂X += δ at the first number of each window."""

    slug = "first-of-window"
    kinds = ("max_pool2d",)
    said = "went to the first number of each window of layer '$above', whatever number is the largest"
    wrong = r"\frac{\partial L}{\partial x_{\text{first}}} = \delta"
    why = "The result of a window is its largest number, wherever it lies; that number receives the delta."
    unseen = "the first number of every window is the largest"

    def through_windows(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        windows.numbers(found, 0)[...] += windows.inside(windows.delta, 0)
        return found


class MeanOverNumbersInside(OfPooling):
    """∂L/∂x = δ / (the numbers of the window that are not padding)."""

    slug = "padding-not-counted"
    kinds = ("average_pool2d",)
    said = "is divided by the count of numbers inside the image, without the padding, in layer '$above'"
    wrong = r"\frac{\partial L}{\partial x} = \frac{\delta}{k - \text{padding}}"
    why = (
        "The forward pass counts the padding as zeros and divides every window by its size, also at the border; the "
        "backward pass has to divide by the same number."
    )
    unseen = "no window contains padding"

    def possible(self, kind: Any) -> bool:
        return bool(np.any(kind.padding))

    def through_windows(self, windows: PooledWindows) -> Array:
        counts, found = np.isfinite(windows.values).sum(axis=0), np.zeros_like(windows.X)
        for offset in range(windows.count):
            windows.numbers(found, offset)[...] += windows.inside(windows.delta / counts, offset)
        return found


WINDOW_NUMBERS: tuple[type[Mistake], ...] = (
    MaskTimesInput,
    MaskTimesInputOverwritten,
    EveryLargestNumber,
    FirstOfWindow,
    MeanOverNumbersInside,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
