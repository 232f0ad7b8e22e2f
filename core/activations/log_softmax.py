"""log_softmax: the logarithm of softmax, computed without forming the softmax."""

from collections.abc import Callable

import numpy as np
from numpy import exp, log, multiply, subtract

from core.activations.base import Activation
from core.activations.softmax import exponentials, shifted
from core.arrays import Array, Op


class LogSoftmax(Activation):
    """Logarithm of the softmax of each example, by log-sum-exp.

    a_i = z_i − m − log Σ_j e^(z_j − m),     m = max_j z_j
    dz  = da − e^a Σ_j da_j
    """

    __slots__ = ()
    name = "log_softmax"
    reads = "preactivation"
    elementwise = False
    formula = r"z_i - \log \sum_j e^{z_j}"
    derivative = r"\delta_{ij} - e^{a_j}"

    def numpy(self) -> str:
        shifted = "<Z> - <Z>.max(axis=<axis>, keepdims=True)"
        sums = f"np.exp({shifted}).sum(axis=<axis>, keepdims=True)"
        return f"{shifted} - np.log({sums})"

    def numpy_backward(self) -> str:
        return "<dA> - np.exp(<A>) * <dA>.sum(axis=<axis>, keepdims=True)"

    def latex_backward(self) -> str:
        return r"<dA> - e^{<A>} \circ \textstyle\sum_k (<dA>)_k"

    def forward(self, Z: Array, A: Array) -> Op:
        exponentiate, sums = exponentials(A, np.empty_like(A))
        ops = [*shifted(Z, A), *exponentiate]

        def op() -> None:
            for each in ops:
                each()
            log(sums, sums)
            subtract(A, sums, A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        total = np.empty((*Z.shape[:-1], 1), A.dtype)
        sum_of: Callable[..., object] = np.add.reduce

        def op() -> None:
            sum_of(dA, -1, None, total, True)
            exp(A, dZ)
            multiply(dZ, total, dZ)
            subtract(dA, dZ, dZ)

        return op
