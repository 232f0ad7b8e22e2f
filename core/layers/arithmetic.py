"""What add, subtract and multiply share: operands of different shapes are stretched, gradients are summed back."""

from __future__ import annotations

import numpy as np

from core.arrays import Array, Shape
from core.layers.base import misfit
from core.place import turned_shape


def stretched(kind: str, inputs: tuple[Shape, ...], column: bool) -> Shape:
    """The common shape of the operands, by NumPy's rule: axes of length 1 are repeated, missing leading axes added."""
    try:
        return np.broadcast_shapes(*inputs)
    except ValueError:
        shown = " and ".join(str(list(turned_shape(shape, column))) for shape in inputs)
        misfit(f"{kind} works element by element; it reads tensors of shapes {shown}.", "inputs")


def summed_back(gradient: Array, out: Array) -> None:
    """Write into `out` the gradient of an operand: the sum of `gradient` over the axes along which it was stretched."""
    if gradient.shape == out.shape:
        np.copyto(out, gradient)
        return
    leading = tuple(range(gradient.ndim - out.ndim))
    repeated = tuple(
        axis + len(leading)
        for axis, length in enumerate(out.shape)
        if length == 1 != gradient.shape[axis + len(leading)]
    )
    np.copyto(out, gradient.sum(axis=leading + repeated).reshape(out.shape))
