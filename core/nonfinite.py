"""NaN and infinity: refusals that name the first layer and tensor where one appears, and the cause."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import Array, Op, inner_product
from core.errors import Refusal


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a number is not finite."""

    reason: str
    """The end of the sentence that names the number."""

    hint: str | None = None
    """The fix, if the reason has one of its own."""


Cause = Callable[[], Diagnosis]
"""Looks for the cause once a number is not finite."""


def finite_check(layer: str, position: int, tensor: str, array: Array, cause: Cause) -> Op:
    """Return the operation that refuses a tensor with a NaN or an infinity.

    A finite inner product with itself answers most cases in one pass; only another one is looked at closely.

    Raises (when the operation runs):
        Refusal: `non-finite`, with the layer, the tensor and the cause.
    """
    squares = inner_product(array, array)

    def op() -> None:
        if not math.isfinite(abs(squares())) and not np.isfinite(array).all():
            index = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
            found = "NaN" if np.isnan(array[tuple(index)]) else "infinite"
            diagnosis, where = cause(), f"at {index} " if array.ndim else ""
            raise Refusal.of(
                "non-finite",
                f"The {tensor} of layer {layer!r} {where}is {found}: {diagnosis.reason}.",
                "network",
                "layers",
                position,
                got=found,
                hint=diagnosis.hint
                or f"The largest finite number in {array.dtype} is {np.finfo(array.dtype).max:.3g}.",
            )

    return op


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

    def cause() -> Diagnosis:
        operands = [f"inputs up to {max(map(largest, inputs)):.4g}"]
        operands += [f"a {name} up to {largest(array):.4g}" for name, array in parameters.items()]
        return Diagnosis(f"{kind} combines " + " and ".join(operands))

    return cause


def of_activation(function: str, Z: Array, A: Array) -> Cause:
    """Return the cause of a non-finite activation: the argument of the function."""

    def cause() -> Diagnosis:
        index = np.argwhere(~np.isfinite(A))[0]
        z = float(Z[tuple(index)])
        return Diagnosis(
            f"it is {function}({z:.6g})", _of_logarithm(z, A[tuple(index)]) if function.split()[0] == "log" else None
        )

    return cause


def of_loss(kind: str, A: Array, Y: Array, advice: str) -> Cause:
    """Return the cause of a non-finite loss: the range of outputs and targets."""

    def cause() -> Diagnosis:
        outputs = f"outputs from {A.min():.6g} to {A.max():.6g}"
        targets = f"targets from {Y.min():.6g} to {Y.max():.6g}"
        return Diagnosis(f"{kind} compares {outputs} with {targets}", _of_entropy(kind, A, advice))

    return cause


def of_gradient(formed: str, *operands: tuple[str, Array]) -> Cause:
    """Return the cause of a non-finite gradient: the size of its factors."""

    def cause() -> Diagnosis:
        return Diagnosis(f"{formed} " + " and ".join(f"{name} up to {largest(array):.4g}" for name, array in operands))

    return cause


def _of_logarithm(argument: float, result: float) -> str | None:
    """The hint for the logarithm of 0 or of a negative number."""
    if argument == 0:
        return "log(0) is -infinity: add a small epsilon before log, or use a function whose results are positive."
    if np.isnan(result):
        return "The logarithm of a negative number does not exist: log takes positive numbers, as softplus or exp give."
    return None


def _of_entropy(kind: str, A: Array, advice: str) -> str | None:
    """Return the hint for a loss that takes the logarithm of outputs that are no probabilities."""
    if not advice:
        return None
    if A.min() < 0 or A.max() > 1:
        return f"{kind} takes the logarithm of probabilities, and outputs outside 0 to 1 are none. {advice}"
    return f"log(0) is -infinity, and an output is exactly 0 or 1 where the target is not. {advice}"
