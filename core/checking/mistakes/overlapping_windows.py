"""The mistakes of a pooling layer's backward pass in its windows: where they overlap, and which number is the largest."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.pooling import OfPooling, PooledWindows


def _overlap(kind: Any) -> bool:
    """Return True if neighbouring windows share numbers."""
    stride = kind.size if kind.stride is None else kind.stride
    sizes, strides = ([side, side] if isinstance(side, int) else side for side in (kind.size, stride))
    return any(step < size for size, step in zip(sizes, strides, strict=True))


class _Overlapping(OfPooling):
    """A mistake that needs windows that overlap."""

    unseen: ClassVar[str] = "no number is in two windows that both send it a gradient"

    def possible(self, kind: Any) -> bool:
        return _overlap(kind)


class WindowsOverwritten(_Overlapping):
    """∂L/∂X[window] = mask ∘ δ: each window overwrites what the windows before it have left there."""

    slug = "overlapping-windows-overwritten"
    kinds = ("max_pool2d",)
    said = (
        "keeps only the gradient of the last window of layer '$above' that contains a number, where windows overlap; "
        "the gradients of the windows before are overwritten"
    )
    wrong = r"\frac{\partial L}{\partial X}[\text{window}] \mathrel{=} \text{mask} \circ \delta"
    why = (
        "A number in several windows receives a gradient from each of them, and they are added: += in the loop over "
        "the windows, on an array of zeros."
    )

    def through_windows(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        for offset in reversed(range(windows.count)):  # A later window has a number at a smaller offset.
            windows.numbers(found, offset)[...] = windows.inside(windows.first(offset) * windows.delta, offset)
        return found


class LargestOverwritten(WindowsOverwritten):
    """∂L/∂X[largest] = δ: the same where only the position of the largest number is assigned."""

    wrong = r"\frac{\partial L}{\partial X}[\operatorname{argmax}] \mathrel{=} \delta"

    def through_windows(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        for offset in reversed(range(windows.count)):
            here = windows.inside(windows.first(offset), offset)
            np.copyto(windows.numbers(found, offset), windows.inside(windows.delta, offset), where=here)
        return found


class MeanWindowsOverwritten(WindowsOverwritten):
    """The same for a mean: ∂L/∂X[window] = δ/k."""

    kinds = ("average_pool2d",)
    wrong = r"\frac{\partial L}{\partial X}[\text{window}] \mathrel{=} \tfrac{1}{k} \delta"

    def through_windows(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        for offset in reversed(range(windows.count)):
            windows.numbers(found, offset)[...] = windows.inside(windows.delta / windows.count, offset)
        return found


class MaskOfLastWindow(_Overlapping):
    """One mask in the shape of X, which each window overwrites in the forward pass."""

    slug = "mask-per-position"
    kinds = ("max_pool2d",)
    said = (
        "used one mask for each position of the input of layer '$above', the one of the last window there, instead "
        "of one for each window"
    )
    wrong = r"\text{mask}[\text{window}] \mathrel{=} (X[\text{window}] = \max)"
    why = (
        "A number may be the largest of one window and not of the next one. Each window needs its own mask, or the "
        "position of its largest number."
    )

    def through_windows(self, windows: PooledWindows) -> Array:
        mask, found = self.mask(windows), np.zeros_like(windows.X)
        for offset in range(windows.count):
            gate = windows.numbers(mask, offset)
            windows.numbers(found, offset)[...] += gate * windows.inside(windows.delta, offset)
        return found

    def mask(self, windows: PooledWindows) -> Array:
        """Return the mask in the shape of X."""
        found = np.zeros_like(windows.X)
        for offset in reversed(range(windows.count)):
            windows.numbers(found, offset)[...] = windows.inside(windows.first(offset), offset)
        return found


class MaskOfAnyWindow(MaskOfLastWindow):
    """One mask in the shape of X, 1 wherever a number is the largest of some window."""

    said = (
        "used one mask for each position of the input of layer '$above', 1 where the number is the largest of any "
        "window, instead of one for each window"
    )
    wrong = r"\text{mask}[\operatorname{argmax}] = 1 \quad \text{for every window}"

    def mask(self, windows: PooledWindows) -> Array:
        found = np.zeros_like(windows.X)
        for offset in range(windows.count):
            at = windows.numbers(found, offset)
            np.maximum(at, windows.inside(windows.first(offset), offset), out=at)
        return found


OVERLAPPING_WINDOWS: tuple[type[Mistake], ...] = (
    WindowsOverwritten,
    LargestOverwritten,
    MeanWindowsOverwritten,
    MaskOfLastWindow,
    MaskOfAnyWindow,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
