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
        found = output.argmax(1) if loss.boundary is None else output > loss.boundary[0]
        return int(np.count_nonzero(found == known)) / known.size
