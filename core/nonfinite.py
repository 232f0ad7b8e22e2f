"""NaN and infinity: refusals that name the first layer and tensor where one appears, and the cause."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from core.arrays import Array, Op
from core.errors import Refusal

Cause = Callable[[], str]


def finite_check(layer: str, position: int, tensor: str, array: Array, cause: Cause) -> Op:
    """Return the operation that refuses a tensor with a NaN or an infinity.

    Raises (when the operation runs):
        Refusal: `non-finite`, with the layer, the tensor and the cause.
    """

    def step() -> None:
        if not np.isfinite(array).all():
            index = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
            found = "NaN" if np.isnan(array[tuple(index)]) else "infinite"
            raise Refusal.of(
                "non-finite",
                f"The {tensor} of layer {layer!r} {'is' if array.ndim == 0 else f'at {index} is'} {found}: {cause()}.",
                "network",
                "layers",
                position,
                got=found,
                hint=f"The largest finite number in {array.dtype} is {np.finfo(array.dtype).max:.3g}.",
            )

    return step


def all_finite(vector: Array) -> bool:
    """Return whether every element of a vector is finite. A finite sum of squares answers most cases in one pass."""
    return math.isfinite(abs(vector.dot(vector))) or bool(np.isfinite(vector).all())


def cast(array: Array, dtype: np.dtype[Any], *path: str) -> Array:
    """Return the array in the dtype of the computation.

    Raises:
        Refusal: `non-finite` for numbers beyond the range of float32.
    """
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        result = array.astype(dtype)
    if not np.isfinite(result).all():
        beyond = f"{float(np.abs(array).max()):g} is beyond the range of {dtype}."
        raise Refusal.of("non-finite", beyond, *path, hint='Send "dtype": "float64".')
    return result


def largest(array: Array) -> float:
    """Return the largest magnitude in an array, 0 for an empty one."""
    return float(np.abs(array).max()) if array.size else 0.0


def of_result(kind: str, inputs: tuple[Array, ...], parameters: Mapping[str, Array]) -> Cause:
    """Return the cause of a non-finite result: the size of the layer's inputs and parameters."""

    def cause() -> str:
        operands = [f"inputs up to {max(map(largest, inputs)):.4g}"]
        operands += [f"a {name} up to {largest(array):.4g}" for name, array in parameters.items()]
        return f"{kind} combines " + " and ".join(operands)

    return cause


def of_activation(function: str, Z: Array, A: Array) -> Cause:
    """Return the cause of a non-finite activation: the argument of the function."""

    def cause() -> str:
        index = np.argwhere(~np.isfinite(A))[0]
        return f"it is {function}({Z[tuple(index)]:.6g})"

    return cause


def of_loss(kind: str, A: Array, Y: Array) -> Cause:
    """Return the cause of a non-finite loss: the range of outputs and targets."""

    def cause() -> str:
        return f"{kind} compares outputs from {A.min():.6g} to {A.max():.6g} with targets from {Y.min():.6g} to {Y.max():.6g}"

    return cause


def of_gradient(formed: str, *operands: tuple[str, Array]) -> Cause:
    """Return the cause of a non-finite gradient: the size of its factors."""

    def cause() -> str:
        return f"{formed} " + " and ".join(f"{name} up to {largest(array):.4g}" for name, array in operands)

    return cause
