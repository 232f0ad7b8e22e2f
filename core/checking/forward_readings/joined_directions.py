"""Directions of a recurrent layer that a program adds, averages or leaves out instead of putting them side by side."""

from __future__ import annotations

import numpy as np

from core.arrays import Array
from core.checking.quantity import Quantity
from core.layers.shared.recurrence import Recurrent
from core.problem import Problem

NEAR = 1e-4
"""The relative error up to which a tensor is that one: float32 and rounded numbers are recognised too."""


def directions_said(problem: Problem, first: Quantity, yours: Array, expected: Array) -> str:
    """Return what a tensor of the shape of one direction holds, as a sentence with a space before it; "" if nothing known."""
    layer = next((node.layer for node in problem.nodes if node.name == first.layer), None)
    if not isinstance(layer, Recurrent) or not layer.bidirectional:
        return ""
    ahead, back = np.split(expected, 2, axis=-1)
    held = {
        "the sum of the two directions": ahead + back,
        "the mean of the two directions": (ahead + back) / 2,
        "the product of the two directions": ahead * back,
        "the forward direction alone": ahead,
        "the backward direction alone": back,
    }
    for said, array in held.items():
        if yours.shape == array.shape and np.allclose(yours, array, rtol=NEAR, atol=NEAR * float(np.abs(array).max())):
            return f" It is {said}; in the request's layer they stand side by side, forward before backward."
    return ""
