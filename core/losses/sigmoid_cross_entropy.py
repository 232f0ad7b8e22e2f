"""sigmoid_cross_entropy: binary cross-entropy of the sigmoid of the output, on logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy import add, exp, log1p, maximum, minimum, multiply, negative, subtract

from core.activations.sigmoid import Sigmoid
from core.arrays import Array, Op, constant, in_memory_order, sum_over_features
from core.errors import Issue
from core.losses.base import AppliedFunction, Loss, LossContext, Scalar


def refuse_beyond_one(kind: str, Y: Array) -> Issue | None:
    """Return an issue if a target is outside [0, 1]: targets are independent probabilities."""
    if not ((Y < 0) | (Y > 1)).any():
        return None
    return Issue(
        code="invalid-request",
        detail=f"{kind} takes targets from 0 to 1; these run from {Y.min():g} to {Y.max():g}.",
        expected=[0, 1],
        hint=_fix(Y),
    )


def _fix(Y: Array) -> str:
    """Return the likely fix for targets that are no probabilities."""
    if (np.floor(Y) != Y).any():
        return "Scale the targets to numbers from 0 to 1, or use mean_squared_error, which compares any numbers."
    if Y.shape[-1] == 1:
        return (
            "One output is the probability of one class: send 0 or 1 for each example. For more classes, use softmax with an "
            "output for each class, and cross_entropy."
        )
    return (
        "Class numbers are a flat list with one for each example, compared with cross_entropy after softmax; here each "
        "output is a probability of its own, with a target 0 or 1."
    )


def _terms(Z: Array, Y: Array, out: Array) -> Op:
    """Return the operation that writes log(1 + e^z) − y z = (max(z, 0) − y z) + log(1 + e^−|z|) into `out`.

    For targets 0 and 1 the bracket is exact, so a loss that is nearly 0 keeps its relative accuracy.
    """
    zero, T, product = constant(0, Z), np.empty_like(out), np.empty_like(out)

    def op() -> None:
        negative(Z, T)
        minimum(Z, T, out=T)
        exp(T, T)
        log1p(T, T)
        multiply(Y, Z, product)
        maximum(Z, zero, out=out)
        subtract(out, product, out)
        add(out, T, out)

    return op


@dataclass(frozen=True, slots=True, kw_only=True)
class SigmoidCrossEntropy(Loss):
    """Binary cross-entropy after sigmoid, on the logits z, finite for every z.

    ℓ      = Σ_k (log(1 + e^z_k) − y_k z_k)
    ∂ℓ/∂z  = σ(z) − y
    """

    kind: Literal["sigmoid_cross_entropy"] = "sigmoid_cross_entropy"
    formula = r"-\sum_k \bigl( y_k \log \sigma(a_k) + (1 - y_k) \log(1 - \sigma(a_k)) \bigr)"
    boundary = (0.0, 0.5)
    applies = AppliedFunction("sigmoid", "binary_cross_entropy", ("sigmoid",), "double-sigmoid")
    takes_class_indices = True

    def refusal_of(self, Y: Array) -> Issue | None:
        return refuse_beyond_one(self.kind, Y)

    def numpy(self) -> str:
        return "(np.logaddexp(0, <A>) - <Y> * <A>).sum(axis=<rest>)"

    def numpy_gradient(self) -> str:
        return "1 / (1 + np.exp(-<A>)) - <Y>"

    def latex_gradient(self) -> str:
        return r"\sigma(<A>) - <Y>"

    def per_example(self, A: Array, Y: Array) -> Array:
        terms = np.empty_like(A)
        _terms(A, Y, terms)()
        return sum_over_features(terms)

    def value(self, at: LossContext) -> Scalar:
        sigmoid = Sigmoid().forward(at.A, at.probabilities)
        terms = np.empty_like(at.A)
        compute, share = _terms(at.A, at.Y, terms), at.share
        if share is None:

            def weighted() -> Any:
                sigmoid()
                compute()
                return at.coefficients.dot(sum_over_features(terms))

            return weighted
        flat, shares = in_memory_order(terms), np.full(terms.size, share, terms.dtype)

        def uniform() -> Any:
            sigmoid()
            compute()
            return shares.dot(flat)

        return uniform

    def gradient(self, at: LossContext) -> Op:
        return lambda: subtract(at.probabilities, at.Y, at.dA)
