"""softmax_cross_entropy: cross-entropy of the softmax of the output, on logits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import log, multiply, subtract

from core.activations.softmax import exponentials, normalised, shifted
from core.arrays import Array, Op, Shape, column_of, inner_product, last_axis_sums
from core.errors import Issue
from core.losses.base import AppliedFunction, Loss, LossContext, Scalar

SHIFTED = "<A> - <A>.max(axis=<axis>, keepdims=True)"
SUMS = f"np.exp({SHIFTED}).sum(axis=<axis>, keepdims=True)"
"""The logits minus the largest, and Σ_k of their exponentials, as NumPy expressions."""


def draw_classes(shape: Shape, generator: np.random.Generator) -> Array:
    """Return random one-hot targets in which every class occurs; 0 or 1 if there is one output."""
    if len(shape) < 2:
        return generator.integers(2, size=shape).astype(np.float64)
    labels = np.arange(math.prod(shape[:-1])).reshape(shape[:-1]) % shape[-1]
    return np.asarray(np.eye(shape[-1])[generator.permutation(labels.ravel()).reshape(labels.shape)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftmaxCrossEntropy(Loss):
    """Cross-entropy after softmax, on the logits z, by log-sum-exp; m = max_k z_k.

        ℓ      = −Σ_k y_k log p_k = Σ_k y_k (log Σ_j e^(z_j − m) − (z_k − m)),     p = softmax(z)
        ∂ℓ/∂z  = p Σ_k y_k − y          (= p − y for targets that sum to 1)

    Source: Bishop, Pattern Recognition and Machine Learning (2006), §4.3.4.
    """

    kind: Literal["softmax_cross_entropy"] = "softmax_cross_entropy"
    formula = r"-\sum_k y_k \log p_k, \quad p = \mathrm{softmax}(a)"
    applies = AppliedFunction("softmax", "cross_entropy", ("softmax", "log_softmax"), "double-softmax")
    takes_class_indices = True

    def draw_targets(self, shape: Shape, generator: np.random.Generator) -> Array:
        return draw_classes(shape, generator)

    def refusal_of(self, Y: Array) -> Issue | None:
        if Y.ndim < 2:
            return Issue(
                code="shape-mismatch",
                detail=f"{self.kind} runs over the features of each example; the output has shape {list(Y.shape)}.",
            )
        if not (Y < 0).any():
            return None
        return Issue(
            code="invalid-request",
            detail=f"{self.kind} takes probabilities as targets; the least of these is {Y.min():g}.",
        )

    def numpy(self) -> str:
        return f"(<Y> * (np.log({SUMS}) - ({SHIFTED}))).sum(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return f"np.exp({SHIFTED}) / {SUMS} * <Y>.sum(axis=<axis>, keepdims=True) - <Y>"

    def latex_gradient(self) -> str:
        return r"\operatorname{softmax}(<A>) - <Y>"

    def per_example(self, A: Array, Y: Array) -> Array:
        shifted = A - A.max(axis=-1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        terms = Y * (log_sum - shifted)
        return np.asarray(terms.sum(axis=tuple(range(1, terms.ndim))))

    def value(self, at: LossContext) -> Scalar:
        # With S = Z − m, Σ_i c_i ℓ_i = Σ c_i t_i log s_i − Σ c_i Y ∘ S, and no term of either sum is negative.
        Z, Y, P, coefficients = at.A, at.Y, at.probabilities, at.coefficients
        share = at.share
        weighted = Y if share is not None else np.empty_like(Y)
        until_scores = shifted(Z, P)
        of_scores = inner_product(P, weighted)
        exponentiate, sums = exponentials(P, P)
        logarithms, totals = np.empty_like(sums), np.ones_like(sums)
        after: list[Op] = [*exponentiate, partial(log, sums, logarithms), *normalised(P, sums)]
        if share is None:
            until_scores.insert(0, lambda: multiply(Y, column_of(coefficients, Y), weighted))
        if share is None or not at.one_hot:
            after.append(last_axis_sums(weighted, totals))
        of_sums = inner_product(totals, logarithms)

        def value() -> Any:
            for op in until_scores:
                op()
            scores = of_scores()
            for op in after:
                op()
            return of_sums() - scores if share is None else (of_sums() - scores) * share

        return value

    def gradient(self, at: LossContext) -> Op:
        Y, P, dZ = at.Y, at.probabilities, at.dA
        if at.one_hot:
            return partial(subtract, P, Y, dZ)
        totals = np.empty((*Y.shape[:-1], 1), Y.dtype)
        add_up = last_axis_sums(Y, totals)

        def op() -> None:
            add_up()
            multiply(P, totals, dZ)
            subtract(dZ, Y, dZ)

        return op
