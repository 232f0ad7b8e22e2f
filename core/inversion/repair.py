"""Repair: a linear programme that finds a point x + c N inside an interval, as far from its ends as possible."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from core.activations.base import Interval
from core.arrays import Array

Solver = Callable[[Array, Array, Array], "Array | None"]
"""Takes g, A and b; returns the x that maximises g·x subject to A x ≤ b, or None if there is none."""

MOST = 1.0
"""The distance to keep from the end of an interval whose other end is infinite."""


def move_inside(x: Array, N: Array, interval: Interval, solve: Solver) -> Array | None:
    """Return a point x + c N with every coordinate inside the open interval, or None if there is none.

        maximise t    subject to    x + c N − t ≥ low,    x + c N + t ≤ high,    t ≤ half of the interval

    Args:
        x: a point, d numbers.
        N: the directions in which it may be moved, k x d.
        interval: the open interval.
        solve: the solver of linear programmes.
    """
    low, high = interval
    widest = (high - low) / 2 if math.isfinite(high - low) else MOST
    rows, bounds = [np.append(np.zeros(len(N)), 1.0)[np.newaxis]], [np.array([widest])]
    margin = np.ones((len(x), 1))
    if math.isfinite(low):
        rows.append(np.hstack([-N.T, margin]))
        bounds.append(x - low)
    if math.isfinite(high):
        rows.append(np.hstack([N.T, margin]))
        bounds.append(high - x)
    goal = np.append(np.zeros(len(N)), 1.0)
    found = solve(goal, np.vstack(rows).astype(np.float64), np.concatenate(bounds).astype(np.float64))
    if found is None:
        return None
    moved = x + found[:-1].astype(x.dtype) @ N
    return np.asarray(moved) if (moved > low).all() and (moved < high).all() else None
