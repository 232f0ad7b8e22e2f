"""Least squares within bounds: min ‖J d − r‖ for low ≤ d ≤ high, by an active set."""

from __future__ import annotations

import numpy as np

from core.arrays import Array

RELEASED = 1e-10
"""A number at its bound is released if the error falls at more than this rate, relative to that of the start."""


def bounded_least_squares(J: Array, r: Array, low: Array, high: Array) -> Array:
    """Return the d within the bounds, which contain 0, that makes ‖J d − r‖ least.

    Numbers that reach a bound stay there while the others are solved for, and are released if the error would fall.

    Source: Lawson & Hanson, Solving Least Squares Problems (1974), ch. 23, with two bounds.
    """
    d, free = np.zeros(len(low)), np.ones(len(low), bool)
    tolerance = RELEASED * float(np.abs(J.T @ r).max(initial=0))
    for _ in range(3 * len(low) + 3):
        if free.any():
            step = np.zeros(len(low))
            step[free] = np.linalg.lstsq(J[:, free], r - J @ d, rcond=1e-10)[0]
            room = np.where(step > 0, high - d, low - d)
            with np.errstate(all="ignore"):
                parts = np.where(step != 0, room / step, np.inf)
            part = min(1.0, float(parts[free].min()))
            d = np.clip(d + part * step, low, high)
            if part < 1:
                free &= parts > part
                continue
        slope = J.T @ (r - J @ d)
        inwards = ~free & (((d <= low) & (slope > tolerance)) | ((d >= high) & (slope < -tolerance)))
        if not inwards.any():
            break
        free[int(np.argmax(np.where(inwards, np.abs(slope), 0)))] = True
    return d
