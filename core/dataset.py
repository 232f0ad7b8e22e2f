"""Datasets: inputs and targets of examples, batch-first, and their standardisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.errors import Issue, Refusal, refuse_if_any


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples along the first axis of every tensor."""

    inputs: Mapping[str, Array]
    """One tensor named "input", or several by the names under which layers read them."""

    targets: Array | None = None
    """Numbers in the shape of the output, or one class index for each example."""

    @property
    def examples(self) -> int:
        """Number of examples."""
        first = next(iter(self.inputs.values()))
        return len(first) if first.ndim else 1


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Mean and divisor of each feature: x becomes (x − mean) / deviation."""

    mean: Array
    deviation: Array


def standardise(inputs: Array) -> tuple[Array, Standardisation]:
    """Return the inputs with mean 0 and standard deviation 1 for each feature; a constant feature is only shifted.

    Raises:
        Refusal: `non-finite` if a result is not finite.
    """
    mean, deviation = moments(inputs, axis=0)
    divisor = np.where(deviation > 0, deviation, 1.0)
    found = ((inputs.astype(np.float64) - mean) / divisor).astype(inputs.dtype)
    if not np.isfinite(found).all():
        raise Refusal.of("non-finite", "The inputs are too large to be standardised.", "inputs")
    return found, Standardisation(mean, divisor)


def moments(array: Array, axis: int | None = None) -> tuple[Array, Array]:
    """Return mean and standard deviation in float64, over all elements or along an axis, without overflow."""
    scale = float(np.abs(array).max()) or 1.0
    scaled = array.astype(np.float64) / scale
    return np.asarray(scaled.mean(axis=axis) * scale), np.asarray(scaled.std(axis=axis) * scale)


def refuse_uneven(dataset: Dataset) -> None:
    """Refuse tensors whose first axes have different lengths.

    Raises:
        Refusal: `shape-mismatch`; `invalid-request` if there are none.
    """
    if not dataset.inputs:
        raise Refusal.of(
            "invalid-request", "There are no inputs.", "inputs", hint="Send one tensor, or tensors by name."
        )
    tensors = {("inputs",) if name == "input" else ("inputs", name): array for name, array in dataset.inputs.items()}
    if dataset.targets is not None:
        tensors["targets",] = dataset.targets
    issues = []
    for path, array in tensors.items():
        if not array.ndim:
            detail = f"{'.'.join(path)} is a single number; the examples lie along the first axis."
            issues.append(Issue(code="shape-mismatch", path=path, detail=detail))
        elif len(array) != dataset.examples:
            detail = (
                f"{'.'.join(path)} has {len(array):,} examples; there are {dataset.examples:,} in the first tensor."
            )
            issues.append(
                Issue(code="shape-mismatch", path=path, detail=detail, expected=dataset.examples, got=len(array))
            )
    refuse_if_any(issues)
