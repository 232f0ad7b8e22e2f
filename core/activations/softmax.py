"""softmax: probabilities from the scores of each example."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy import divide, exp, maximum, multiply, subtract

from core.activations.base import Activation
from core.arrays import Array, Op, last_axis_sums


def shifted(Z: Array, S: Array) -> tuple[Op, Op]:
    """Return the operations that write the scores minus the largest one of each example into S, in two steps."""
    largest = np.empty((*Z.shape[:-1], 1), Z.dtype)
    return partial(maximum.reduce, Z, -1, None, largest, True), partial(subtract, Z, largest, S)


def exponentials(S: Array, A: Array) -> tuple[Op, Op, Array]:
    """Return the operations that write e^S into A and its sums into the array that comes third."""
    sums = np.empty((*S.shape[:-1], 1), S.dtype)
    return partial(exp, S, A), last_axis_sums(A, sums), sums


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
        find_largest, shift = shifted(Z, A)
        exponentiate, add_up, sums = exponentials(A, A)

        def op() -> None:
            find_largest()
            shift()
            exponentiate()
            add_up()
            divide(A, sums, A)

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
