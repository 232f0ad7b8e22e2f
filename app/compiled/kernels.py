"""Activation functions and losses as compiled functions of arrays."""

from __future__ import annotations

import math
from typing import Any

from app.compiled.codes import (
    FUSED_SIGMOID,
    FUSED_SOFTMAX,
    LEAKY_RELU,
    MEAN_SQUARES,
    ON_SIGMOID,
    ON_SOFTMAX,
    RELU,
    SIGMOID,
    SOFTPLUS,
    TANH,
)
from app.compiled.jit import compiled


@compiled
def activate(function: int, slope: float, Z: Any, at: int, length: int) -> None:
    """Z ← f(Z), in place, for a part of a vector. NaN stays NaN, so that the loop sees it."""
    Z = Z[at : at + length]
    zero, one, s = Z.dtype.type(0), Z.dtype.type(1), Z.dtype.type(slope)
    if function == RELU:
        for i in range(length):
            Z[i] = zero if Z[i] <= zero else Z[i]
    elif function == LEAKY_RELU:
        for i in range(length):
            Z[i] = s * Z[i] if Z[i] <= zero else Z[i]
    elif function == TANH:
        for i in range(length):
            Z[i] = math.tanh(Z[i])
    elif function == SIGMOID:
        for i in range(length):
            # Never an overflow: the exponent is negative.
            e = math.exp(-abs(Z[i]))
            Z[i] = (e if Z[i] < zero else one) / (one + e)
    elif function == SOFTPLUS:
        for i in range(length):
            Z[i] = (zero if Z[i] <= zero else Z[i]) + math.log1p(math.exp(-abs(Z[i])))


@compiled
def differentiate(function: int, slope: float, A: Any, D: Any, at: int, length: int) -> None:
    """D ← D ∘ f'(Z), in terms of A = f(Z), for a part of two vectors."""
    A, D = A[at : at + length], D[at : at + length]
    zero, one, s = A.dtype.type(0), A.dtype.type(1), A.dtype.type(slope)
    if function == RELU:
        for i in range(length):
            D[i] = D[i] if A[i] > zero else zero
    elif function == LEAKY_RELU:
        for i in range(length):
            D[i] = D[i] if A[i] > zero else s * D[i]
    elif function == TANH:
        for i in range(length):
            D[i] *= one - A[i] * A[i]
    elif function == SIGMOID:
        for i in range(length):
            D[i] *= (one - A[i]) * A[i]
    elif function == SOFTPLUS:
        for i in range(length):
            D[i] *= -math.expm1(-A[i])


@compiled
def compare(
    loss: int, share: float, A: Any, at: int, Y: Any, order: Any, start: int, count: int, D: Any, outputs: Any
) -> float:
    """D ← share · ∂ℓ/∂A for the examples of a step, whose results and deltas are at the same place of A and D.

    The outputs are the probabilities of a loss that is fused with its function, and otherwise A. Returns share · Σℓ.
    """
    zero, one, c = A.dtype.type(0), A.dtype.type(1), A.dtype.type(share)
    features = Y.shape[1]
    factor = A.dtype.type(2.0 / features if loss == MEAN_SQUARES else 1.0)
    total = 0.0
    for i in range(count):
        y, p, k = Y[order[start + i]], outputs[start + i], at + i * features
        a, d = A[k : k + features], D[k : k + features]
        if loss in (ON_SOFTMAX, FUSED_SOFTMAX):
            largest = a[0]
            for j in range(features):
                largest = max(largest, a[j])
            exponentials, targets, scores = zero, zero, 0.0
            for j in range(features):
                shifted = a[j] - largest
                scores += y[j] * shifted
                d[j] = math.exp(shifted)
                exponentials += d[j]
                targets += y[j]
            total += targets * math.log(exponentials) - scores
            for j in range(features):
                probability = d[j] / exponentials
                p[j] = probability if loss == FUSED_SOFTMAX else a[j]
                d[j] = (probability * targets - y[j]) * c
        elif loss in (ON_SIGMOID, FUSED_SIGMOID):
            for j in range(features):
                z = a[j]
                e = math.exp(-abs(z))
                total += (zero if z <= zero else z) - y[j] * z + math.log1p(e)
                probability = (e if z < zero else one) / (one + e)
                p[j] = probability if loss == FUSED_SIGMOID else z
                d[j] = (probability - y[j]) * c
        else:
            for j in range(features):
                error = a[j] - y[j]
                total += 0.5 * factor * (error * error)
                p[j] = a[j]
                d[j] = error * factor * c
    return total * share
