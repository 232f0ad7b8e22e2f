"""The mistakes in the gradient of an embedding, mostly where a class occurs twice."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class _Rows(OfKind):
    """dW[x] = Σ Δ over the positions that hold class x, wrong."""

    kinds = ("embedding",)
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    unseen = "no class occurs twice in this batch"

    def numbers(self, trace: Trace, layer: str) -> tuple[Array, Array, Array]:
        """W of zeros; the classes, n x positions; and the deltas, n x positions x units."""
        (X,) = trace.read_by(layer)
        W, D = trace.parameters(layer)["weight"], trace.deltas[layer]
        return np.zeros_like(W), X.astype(int).reshape(len(X), -1), D.reshape(len(X), -1, W.shape[1])


class RepeatedRowsOverwritten(_Rows):
    """dW[x] = Δ, or dW[x] += Δ with an index array: of equal classes only the last one counts."""

    slug = "repeated-rows-overwritten"
    said = "keeps only the last delta in the row of a class that occurs more than once"
    wrong = r"\texttt{dW[x] += D}"
    why = (
        "With repeated indices, NumPy's dW[x] += D keeps only the last addition to each row. np.add.at(dW, x, D) "
        "adds all of them."
    )

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        found[classes.ravel()] = D.reshape(-1, found.shape[1])
        return found


class RepeatedRowsFirstOnly(_Rows):
    """Of equal classes only the first one counts."""

    slug = "repeated-rows-first-only"
    said = "keeps only the first delta in the row of a class that occurs more than once"
    wrong = r"\texttt{dW[x] = D}"
    why = "The row of a class receives the sum of the deltas of all positions that hold it: np.add.at(dW, x, D)."

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        found[classes.ravel()[::-1]] = D.reshape(-1, found.shape[1])[::-1]
        return found


class RepeatedRowsLostInExample(_Rows):
    """dW[x_n] += Δ_n for each example n: a class that occurs twice in an example is counted once."""

    slug = "repeated-rows-lost-in-example"
    said = "counts a class that occurs several times in one example only once"
    wrong = r"\texttt{for x, d in zip(X, D): dW[x] += d}"
    why = (
        "With repeated indices, NumPy's dW[x] += d keeps only the last addition to each row. Different examples are added "
        "one after the other, so only what repeats inside an example is lost. np.add.at(dW, x, d) adds all."
    )
    unseen = "no class occurs twice in one example"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        for x, delta in zip(classes, D, strict=True):
            found[x] += delta
        return found


class RepeatedRowsLostAtPosition(_Rows):
    """dW[x_t] += Δ_t for each position t: a class that several examples have there is counted once."""

    slug = "repeated-rows-lost-at-position"
    said = "counts a class that several examples have at the same position only once"
    wrong = r"\texttt{for t in range(T): dW[X[:, t]] += D[:, t]}"
    why = (
        "With repeated indices, NumPy's dW[x] += d keeps only the last addition to each row. The positions are added one "
        "after the other, so only what repeats across the batch is lost. np.add.at(dW, x, d) adds all."
    )
    unseen = "no class occurs twice at one position"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        for x, delta in zip(classes.T, D.swapaxes(0, 1), strict=True):
            found[x] += delta
        return found


class _OnePosition(_Rows):
    """Only one position of each example."""

    at: ClassVar[int]
    why = "A class counts at every position that holds it, so its row receives the sum over all positions and examples."
    unseen = "every example has one position"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        np.add.at(found, classes[:, self.at], D[:, self.at])
        return found


class LastPositionOnly(_OnePosition):
    """Only the last position of each example."""

    slug = "last-position-only"
    at = -1
    said = "contains only the last position of each example"
    wrong = r"dW[x_{n,T}] \mathrel{+}= \delta_{n,T}"


class FirstPositionOnly(_OnePosition):
    """Only the first position of each example."""

    slug = "first-position-only"
    at = 0
    said = "contains only the first position of each example"
    wrong = r"dW[x_{n,1}] \mathrel{+}= \delta_{n,1}"


class MeanOverOccurrences(_Rows):
    """Each row divided by the number of occurrences of its class."""

    slug = "mean-over-occurrences"
    said = "is divided, row by row, by the number of times that the class occurs"
    wrong = r"dW[x] = \frac{1}{n_x} \sum \delta"
    why = "The row of a class is the sum over all its occurrences, not their mean."

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        np.add.at(found, classes.ravel(), D.reshape(-1, found.shape[1]))
        return np.asarray(found / np.maximum(np.bincount(classes.ravel(), minlength=len(found)), 1)[:, None])


class MultipliedByOccurrences(_Rows):
    """Each row multiplied by the number of occurrences of its class."""

    slug = "multiplied-by-occurrences"
    said = "is multiplied, row by row, by the number of times that the class occurs"
    wrong = r"dW[x] = n_x \sum \delta"
    why = "The row of a class is the sum over all its occurrences, each counted once."

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        found, classes, D = self.numbers(trace, layer)
        np.add.at(found, classes.ravel(), D.reshape(-1, found.shape[1]))
        return np.asarray(found * np.bincount(classes.ravel(), minlength=len(found))[:, None])


EMBEDDING: tuple[type[Mistake], ...] = (
    RepeatedRowsOverwritten,
    RepeatedRowsFirstOnly,
    RepeatedRowsLostInExample,
    RepeatedRowsLostAtPosition,
    LastPositionOnly,
    FirstPositionOnly,
    MeanOverOccurrences,
    MultipliedByOccurrences,
)
"""All of them."""
