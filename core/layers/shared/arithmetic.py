"""Elementwise layers: broadcasting of operands, and the sum of gradients over broadcast axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.arrays import Array, Shape
from core.convention import orient_shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.symbols import OPERAND
from core.layers.base import misfit


def broadcast_shape(kind: str, inputs: tuple[Shape, ...], column: bool) -> Shape:
    """Return the common shape of the operands by NumPy's rules: axes of length 1 are repeated, missing ones added."""
    try:
        return np.broadcast_shapes(*inputs)
    except ValueError:
        shown = " and ".join(str(list(orient_shape(shape, column))) for shape in inputs)
        misfit(f"{kind} works element by element; it reads tensors of shapes {shown}.", "inputs")


def elementwise_derivation(
    layout: Layout, latex: str, numpy: Callable[[list[str]], str], slopes: Sequence[tuple[str, str]], because: str
) -> Derivation:
    """Return the equations of an elementwise layer.

    Args:
        layout: shapes and convention.
        latex: Z.
        numpy: Z in terms of the operands.
        slopes: for each operand ∂L/∂(operand), as LaTeX and NumPy, before it is summed back.
        because: why.
    """
    operands = [f"<X{position}>" for position in range(1, len(layout.inputs) + 1)]
    turned = layout.column and len({len(shape) for shape in layout.inputs}) > 1
    forward = numpy([_in_core(operand, shape, turned) for operand, shape in zip(operands, layout.inputs, strict=True)])
    forward = f"({forward}).T" if turned and len(layout.result) == 2 else forward
    backward = []
    for position, ((slope_latex, slope), shape) in enumerate(zip(slopes, layout.inputs, strict=True), 1):
        summed, why = slope, because
        if turned or shape != layout.result:
            summed = OPERAND.sub(lambda match: _core_operand(match[1], layout), slope)
        if shape != layout.result:
            core, whole = (orient_shape(each, layout.column) for each in (shape, layout.result))
            lead = len(whole) - len(core)
            axes = (*range(lead), *(lead + axis for axis, length in enumerate(core) if length != whole[lead + axis]))
            summed = f"({summed}).sum(axis={axes}).reshape({core})"
            slope_latex, why = (
                rf"\textstyle\sum {slope_latex}",
                because + " The operand was broadcast, so its gradients are summed over the repeated axes.",
            )
        if (turned or shape != layout.result) and layout.transposes(shape):
            summed = f"({summed}).T"
        backward.append(Equation(f"dX{position}", slope_latex, summed, why))
    return Derivation([Equation("Z", latex, forward, "Element by element.")], backward)


def _in_core(operand: str, shape: Shape, turned: bool) -> str:
    return f"{operand}.T" if turned and len(shape) == 2 else operand


def _core_operand(name: str, layout: Layout) -> str:
    shape = layout.result if name == "dZ" else layout.inputs[int(name[1:]) - 1]
    return _in_core(f"<{name}>", shape, layout.column)


def sum_to_operand(gradient: Array, out: Array) -> None:
    """Write into `out` the gradient of an operand: `gradient` summed over the axes along which it was broadcast."""
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
