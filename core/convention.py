"""Conventions: how a request writes matrices. The core computes in `row`; the others are transposed views of it.

    row      inputs n x features    weight in x out    Z = A W + 1 b'
    column   inputs features x n    weight out x in    Z = W A + b 1'
    torch    inputs n x features    weight out x in    Z = A W' + 1 b'

Tensors of rank 3 and more are batch-first in every convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from core.arrays import Array, Shape
from core.parameters import Parameter

Convention = Literal["row", "column", "torch"]
CONVENTIONS: tuple[Convention, ...] = get_args(Convention)


def orient(array: Array, column: bool) -> Array:
    """Return the tensor in the other orientation: a matrix is transposed under `column`, anything else is unchanged."""
    return array.T if column and array.ndim == 2 else array


def orient_shape(shape: Shape, column: bool) -> Shape:
    """Return the shape of `orient`."""
    return shape[::-1] if column and len(shape) == 2 else shape


def tensor(array: Array, convention: Convention) -> Array:
    """Return a batch-first tensor as this convention writes it, or the reverse. Never copies."""
    return orient(array, convention == "column")


def tensor_shape(shape: Shape, convention: Convention) -> Shape:
    """Return the shape of `tensor`."""
    return orient_shape(shape, convention == "column")


def is_transposed(parameter: Parameter, convention: Convention) -> bool:
    """Return whether this convention writes a parameter as out x in, the transpose of the core's in x out."""
    return parameter.follows_convention and convention != "row"


def parameter_shape(parameter: Parameter, convention: Convention) -> Shape:
    """Return the shape of a parameter in this convention."""
    return parameter.shape[::-1] if is_transposed(parameter, convention) else parameter.shape


def layer_parameters(
    arrays: Mapping[str, Array], parameters: Mapping[str, Parameter], convention: Convention
) -> dict[str, Array]:
    """Return parameters of a layer, gradients, or gradients per example as this convention writes them. Never copies."""
    return {
        name: array.swapaxes(-1, -2) if is_transposed(parameters[name], convention) else array
        for name, array in arrays.items()
    }
