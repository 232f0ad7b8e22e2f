"""softmax: probabilities from the scores of each example."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy import divide, exp, maximum, multiply, subtract

from core.activations.base import Activation
from core.arrays import Array, Op, last_axis_sums


def shifted(Z: Array, S: Array) -> list[Op]:
    """Return the operations that write the scores minus the largest one of each example into S, which may be Z."""
    largest = np.empty((*Z.shape[:-1], 1), Z.dtype)
    find: Op = partial(maximum.reduce, Z, -1, None, largest, True)
    if np.may_share_memory(Z, S):
        return [find, partial(subtract, Z, largest, S)]
    return [find, spread(largest, S), partial(subtract, Z, S, S)]


def exponentials(S: Array, A: Array) -> tuple[list[Op], Array]:
    """Return the operations that write e^S into A, and the array into which they write the sums of A."""
    sums = np.empty((*S.shape[:-1], 1), S.dtype)
    return [partial(exp, S, A), last_axis_sums(A, sums)], sums


def normalised(A: Array, sums: Array) -> list[Op]:
    """Return the operations that divide A by its sums, in place."""
    divisors = np.empty_like(A)
    return [spread(sums, divisors), partial(divide, A, divisors, A)]


def spread(values: Array, memory: Array) -> Op:
    """Return the operation that writes the value of each example at all of its features.

    NumPy does this and then an operation of two whole arrays sooner than one operation of an array and a column.
    """
    return partial(memory.__setitem__, ..., values)


class Softmax(Activation):
    """Normalised exponentials over the features of one example (the last axis), never over the batch.

    a_i  = e^(z_i − m) / Σ_j e^(z_j − m),     m = max_j z_j
    dz   = a ∘ (da − Σ_j a_j da_j)             the Jacobian is diag(a) − a aᵀ
    """

    __slots__ = ()
    name = "softmax"
    elementwise = False
    formula = r"\frac{e^{z_i}}{\sum_j e^{z_j}}"
    derivative = r"a_i\,(\delta_{ij} - a_j)"

    def numpy(self) -> str:
        shifted = "<Z> - <Z>.max(axis=<axis>, keepdims=True)"
        sums = f"np.exp({shifted}).sum(axis=<axis>, keepdims=True)"
        return f"np.exp({shifted}) / {sums}"

    def numpy_backward(self) -> str:
        return "<A> * (<dA> - (<dA> * <A>).sum(axis=<axis>, keepdims=True))"

    def latex_backward(self) -> str:
        return r"<A> \circ \bigl( <dA> - \textstyle\sum_k (<dA> \circ <A>)_k \bigr)"

    def forward(self, Z: Array, A: Array) -> Op:
        exponentiate, sums = exponentials(A, A)
        ops = [*shifted(Z, A), *exponentiate, *normalised(A, sums)]

        def op() -> None:
            for each in ops:
                each()

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        inner = np.empty((*Z.shape[:-1], 1), A.dtype)
        sum_of: Callable[..., object] = np.add.reduce

        def op() -> None:
            multiply(A, dA, dZ)
            sum_of(dZ, -1, None, inner, True)
            subtract(dA, inner, dZ)
            multiply(dZ, A, dZ)

        return op
