"""Accuracy."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.losses import Loss
from core.training.metrics.base import Metric


class Accuracy(Metric):
    """The share of examples whose class is the right one.

    Of several outputs of an example the largest one names the class; where each output decides between two classes for
    itself, it is compared with the loss's boundary, and the share is that of all outputs:

        (1/n) Σ_i [argmax_k a_ik = argmax_k y_ik]    or    (1/(n K)) Σ_ik [(a_ik > b) = (y_ik > b')]

    with b' half-way between the targets of the two classes.
    """

    name: ClassVar[str] = "accuracy"

    def applies(self, loss: Loss, output: Array) -> bool:
        return loss.boundary is not None or (loss.takes_class_indices and output.ndim == 2 and output.shape[1] > 1)

    def known(self, loss: Loss, targets: Array) -> Array:
        """Return the class of each example, or of each of its outputs."""
        return np.asarray(targets.argmax(1) if loss.boundary is None else targets > loss.boundary[1])

    def value(self, loss: Loss, output: Array, known: Array) -> float | None:
        if loss.boundary is None:
            return _hits(output, known) / len(known)
        return int(np.count_nonzero((output > loss.boundary[0]) == known)) / known.size


def _hits(output: Array, classes: Array) -> int:
    """Return the number of examples whose largest output, the first of several, is that of their class."""
    # Where the examples are innermost, columns are compared four times as fast as argmax walks along rows; it decides
    # where outputs tie or are NaN.
    highest = output.max(1)
    if not output.flags.f_contiguous or np.count_nonzero(output == highest[:, np.newaxis]) != len(output):
        return int(np.count_nonzero(output.argmax(1) == classes))
    return int(np.count_nonzero(output[np.arange(len(output)), classes] == highest))
